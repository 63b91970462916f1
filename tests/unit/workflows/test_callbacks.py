"""Calls from outside: who was told the address may answer, and nobody else learns whether anybody waits."""

from __future__ import annotations

import json
import logging
import re

import pytest

from stepward.domain.callback_addresses import callback_path, hidden, is_secret
from stepward.domain.errors import Conflict, NotFound
from stepward.domain.runs import RunKey
from stepward.runtime.clock import UlidIds
from stepward.runtime.logs import StructuredFormatter
from stepward.workflows.runs.outside_answers import AnswerTask, ReceiveCall
from stepward.workflows.services.views import ShowWorkflows
from tests.support.workflow_world import ACME, WorkflowWorld

CALL = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}
RUN = "run_" + "0" * 25 + "1"
SECRET = UlidIds().secret()
WRONG = ["wrong", "é", "\udcc3", "x" * 5_000, "run_1", "%C3%A9", "\x00", "😀"]


@pytest.fixture
def world() -> WorkflowWorld:
    return WorkflowWorld()


def waiting(world: WorkflowWorld) -> tuple[RunKey, str]:
    """A run that waits for a call, and its address."""
    world.register([CALL])
    key = world.start()
    world.loop.run(until=lambda: bool(world.store.full_snapshot(key).begun))
    shown = ShowWorkflows(world.registry, world.ports).run(ACME.tenant, key.run)
    return key, shown["tasks"][0]["callback"]


def receive(world: WorkflowWorld, address: str, body: object = None) -> dict[str, object]:
    tenant, run, task, secret = address.removeprefix("/callbacks/").split("/")
    return ReceiveCall(world.ports, AnswerTask(world.ports))(tenant, run, task, secret, body)


def test_who_knows_the_address_answers_once(world: WorkflowWorld) -> None:
    key, address = waiting(world)
    assert receive(world, address, {"ok": True})["status"] == "COMPLETED"
    with pytest.raises(Conflict):
        receive(world, address, {"ok": False})
    world.loop.run()
    head = world.runs.head(key)
    assert head is not None
    assert head.status.value == "COMPLETED"


@pytest.mark.parametrize("secret", WRONG)
def test_a_wrong_secret_looks_as_if_nobody_waited(world: WorkflowWorld, secret: str) -> None:
    key, address = waiting(world)
    told = []
    for task in ("call", "nothing"):
        with pytest.raises(NotFound) as refused:
            ReceiveCall(world.ports, AnswerTask(world.ports))("acme", key.run, task, secret, None)
        told.append((refused.value.detail, refused.value.field, refused.value.fix))
    with pytest.raises(NotFound) as refused:
        ReceiveCall(world.ports, AnswerTask(world.ports))("acme", RUN.replace("1", "Z"), "call", secret, None)
    told.append((refused.value.detail, refused.value.field, refused.value.fix))
    assert told[0] == told[1] == told[2]
    assert receive(world, address)["status"] == "COMPLETED"


def test_a_secret_has_more_than_128_random_bits_and_is_not_the_runs_name(world: WorkflowWorld) -> None:
    drawn = {UlidIds().secret() for _ in range(100)}
    assert len(drawn) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", one) for one in drawn)
    key, address = waiting(world)
    marks = world.store.full_snapshot(key).begun
    (mark,) = next(iter(marks.values()))
    assert address.endswith(f"/{mark.secret}")
    assert (mark.child or "").removeprefix("run_") not in address


def test_an_attempt_that_was_begun_before_secrets_were_drawn_is_answered(world: WorkflowWorld) -> None:
    key, _ = waiting(world)
    begun = world.store.full_snapshot(key).begun
    (name,) = begun
    (mark,) = begun[name]
    old = mark.model_copy(update={"secret": None})
    world.store._runs[key].marks[name][old.attempt] = old
    secret = (old.child or "").removeprefix("run_")
    answered = ReceiveCall(world.ports, AnswerTask(world.ports))("acme", key.run, "call", secret, 1)
    assert answered["status"] == "COMPLETED"


def test_secrets_are_compared_whatever_they_are() -> None:
    assert is_secret("abc", "abc")
    assert not any(is_secret("abc", one) for one in WRONG)


@pytest.mark.parametrize("before", ["", "https://api.example", "POST https://api.example/v1"])
@pytest.mark.parametrize("coded", [False, True])
def test_an_address_in_a_text_is_shown_without_its_secret(before: str, coded: bool) -> None:
    path = callback_path("acme", RUN, "ask@items[3]", "s3cret-_x")
    text = f"{before}{path}" if not coded else f"{before}/?back={path.replace('/', '%2F')}"
    assert "s3cret" not in hidden(f"{text} answered 500: see {text!r}, or ({text})")
    assert hidden(f"{text} answered 500").endswith("… answered 500")
    assert RUN in hidden(text)


def test_no_log_line_has_a_secret() -> None:
    formatter = StructuredFormatter()
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", None, None)
    try:
        raise ValueError(f"calling {callback_path('acme', RUN, 'ask', SECRET)} failed")
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    line = formatter.format(record)
    assert SECRET not in json.loads(line)["error"]
    assert RUN in line
