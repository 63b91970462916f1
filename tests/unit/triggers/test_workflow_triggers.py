"""Triggers that start workflows: the same doors, the same counting, and each event once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.domain.errors import DependencyTimeout, InvalidRequest
from stepward.domain.triggers import KeptTrigger
from stepward.ports.workflow_registry import VersionStatus
from stepward.triggers.show import TryTrigger
from stepward.triggers.starts import Startables
from tests.support.driver import ACME
from tests.unit.triggers.test_firing import Doors, an_event, an_object

ECHO = {"id": "echo", "type": "transform", "output": "{% $input %}"}


@pytest.fixture
def doors() -> Doors:
    found = Doors()
    found.flows.register([ECHO], input={"type": "object", "additionalProperties": True})
    return found


def given(doors: Doors) -> list[Any]:
    return [doors.flows.store.given(key) for key in doors.flows.runs.heads]


def test_every_kind_starts_a_workflow_once_an_event(doors: Doors) -> None:
    doors.add("files", s3={"prefix": "inbox/"}, workflow="flow", input={"file": "{% $event.name %}"})
    doors.add("paid", event={"source": "shop"}, workflow="flow", version="latest", input={"paid": True})
    doors.add(
        "nightly", schedule={"expression": "rate(1 day)"}, workflow="flow", version="1.0.0", input={"at": 1}
    )
    call = {"v": 1, "tenant": "acme", "trigger": "nightly", "scheduled_at": "2026-01-02T00:00:00Z"}
    for arrived in (an_object(), an_event(), call):
        results = [doors.receive(arrived) for _ in range(2)]
        assert [(one.started, one.duplicate) for one in results] == [(1, 0), (0, 1)]
    secret = doors.add("hook", webhook=None, kind="webhook", workflow="flow", input="{% $event.body %}")
    fired = [doors.hook("hook", str(secret), b'{"order": 1}') for _ in range(2)]
    assert [one.firing.result for one in fired] == ["started", "duplicate"]
    assert fired[0].run.run == fired[1].run.run
    assert given(doors) == [{"file": "t-1.json"}, {"paid": True}, {"at": 1}, {"order": 1}]
    heads = doors.flows.runs.heads.values()
    assert {head.principal for head in heads} == {f"trigger.{name}" for name in ("files", "paid", "nightly", "hook")}  # fmt: skip
    assert doors.world.machine.started == {}
    assert ("acme", "nightly") in doors.schedules.made


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"workflow": "nothing"}, "workflow"),
        ({"workflow": "flow", "version": "9.9.9"}, "version"),
        ({"workflow": "flow", "version": "prod"}, "body"),
        ({"workflow": "flow", "priority": "high"}, "body"),
        ({"workflow": "flow", "agent": "helper"}, "body"),
        ({}, "body"),
    ],
)
def test_what_cannot_be_started_is_refused_by_its_field(
    doors: Doors, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        doors.define.add(ACME, {"id": "files", "kind": "s3", "s3": {}, **said})
    assert (caught.value.field, bool(caught.value.fix)) == (field, True)
    assert doors.triggers.trigger("acme", "files") is None


def test_an_object_that_is_gone_starts_nothing_and_says_so(doors: Doors) -> None:
    doors.add("files", s3={}, workflow="flow")
    doors.add("read", s3={"content": "json"}, workflow="flow")
    assert doors.receive(an_object("tenants/acme/inbox/gone.json")).failed == 2
    for name in ("files", "read"):
        assert doors.state(name).last_error.code == "NotFound"
        assert "inbox/gone.json" in doors.state(name).last_error.detail
    assert doors.flows.runs.heads == {}


def test_an_input_that_does_not_fit_starts_nothing_and_says_so(doors: Doors) -> None:
    doors.add("files", s3={}, workflow="flow", input="a text")
    assert doors.receive(an_object()).failed == 1
    assert doors.state("files").last_error.code == "InvalidRequest"
    attempt = TryTrigger(doors.triggers, Startables(doors.world.registry, doors.flows.registry))
    tried = attempt("acme", "files", {"event": {"key": "x"}})
    assert (tried["starts"], tried["error"]["field"]) == (False, "input")
    doors.add("well", s3={}, workflow="flow")
    start = attempt("acme", "well", {"event": {"key": "x"}})["would_start"]
    assert start == {
        "workflow": "flow",
        "input": {"key": "x"},
        "version": "1.0.0",
        "principal": "trigger.well",
    }


def test_an_event_waits_for_a_machine_that_is_being_made(doors: Doors) -> None:
    doors.add("files", s3={}, workflow="flow")
    doors.flows.registry.mark("acme", "flow", "1.0.0", VersionStatus.PUBLISHING, None)
    with pytest.raises(DependencyTimeout):
        doors.receive(an_object())
    assert doors.state("files").failed == 0
    doors.flows.registry.mark("acme", "flow", "1.0.0", VersionStatus.REFUSED, "no")
    assert doors.receive(an_object()).failed == 1
    doors.flows.registry.mark("acme", "flow", "1.0.0", VersionStatus.READY, None)
    assert doors.receive(an_object()).started == 1


def test_a_trigger_that_was_kept_before_there_were_workflows_is_read(doors: Doors) -> None:
    doors.add("files", s3={})
    kept = doors.triggers.trigger("acme", "files")
    assert kept is not None
    before = json.loads(kept.model_dump_json())
    del before["trigger"]["workflow"]
    assert KeptTrigger.model_validate(before) == kept
