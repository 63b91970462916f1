"""Each fault of a provider at each vendor, as a whole run by the vendor's real SDK: it ends as the page about models says.

A run first asks for two calls; then its model meets the fault, and where that passes it says the answer. The provider on
loopback refuses a request in which a call lacks its result, so a run that goes on has sent each of them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import pytest

from stepward.domain.errors import StoreConflict
from stepward.domain.journal import Record, Results, Turn, Waiting
from stepward.domain.runs import RunKey
from stepward.models import streams
from stepward.models.gateway import Providers
from stepward.testing.fake_llm import FakeProvider
from stepward.testing.fake_llm.replies import FAULTS
from tests.support.driver import World
from tests.support.model_clients import VENDORS
from tests.support.model_failures import (
    ENDS,
    LEFT,
    NO_CONNECTION,
    NO_KEY,
    NOWHERE,
    REDIRECT,
    UNFIT,
    Ends,
    code_of,
)
from tests.support.provider_runs import MODELS, a_world, loopback, registered
from tests.support.raw_server import raw_server

R = TypeVar("R", bound=Record)
pytestmark = pytest.mark.enable_socket
CLOSED: Final = "http://127.0.0.1:1"
"""Where nobody listens."""
USED = {"input_tokens": 100, "output_tokens": 20}
SUM = {"tool": "calculate", "arguments": {"expression": "6 * 7"}}
CALLS = {"text": "I reckon.", "calls": [SUM, SUM], "usage": USED}
DONE = {"text": '{"total": 42}', "usage": USED}
WORDS = {"text": "word " * 200, "usage": USED}
TOLD: dict[str, dict[str, Any]] = {
    "": DONE,
    UNFIT: {"text": "no JSON", "usage": USED},
    "cut": WORDS, "stall": WORDS, "stream_error": WORDS, "malformed_json": WORDS,
    **dict.fromkeys(("wrong_arguments", "unreadable_arguments", "unknown_tool", "duplicate_ids", "length"), CALLS),
}  # fmt: skip
"""What the model would say, where a fault spoils a reply of some kind."""
MORE: dict[str, dict[str, Any]] = {
    "429": {"retry_after_s": 7}, "529": {"retry_after_s": 7}, "hang": {"seconds": 0.1}, "stall": {"seconds": 20},
}  # fmt: skip
NOT_PLAYED = ("", UNFIT, LEFT, NO_CONNECTION, NO_KEY, NOWHERE, REDIRECT)
OF_ITS_OWN = {"refusal", "content_filter", "length", "context", "pause"}
UNKNOWN = {(NO_KEY, "bedrock"), (UNFIT, "openai-chat")}
"""The function's own role is the key there; a model that is not listed is not known to take a schema."""
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
EVERY = [
    pytest.param(row, fault, vendor.kind, id=f"{vendor.kind}-{fault or 'none'}")
    for row in ENDS
    for fault in row.faults
    for vendor in VENDORS
    if not (fault in OF_ITS_OWN and fault not in vendor.endings) and (fault, vendor.kind) not in UNKNOWN
]
LASTING = [
    pytest.param(row, row.faults[0], kind, id=f"{kind}-{row.faults[0]}")
    for row in ENDS
    for kind in MODELS
    if row.lasting and (row.faults[0], kind) not in UNKNOWN
]


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_EVERY_S", 0.05)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """Give one provider to all, so that connections are used again, as a function's are."""
    with loopback() as running:
        yield running
        gc.collect()  # streams that broke off are closed by the loop that they belong to
        streams.close()


def played(fault: str) -> dict[str, Any]:
    """A reply as the script of the provider has it."""
    if fault == LEFT:
        return {**WORDS, "fault": {"name": "slow", "seconds": 0.02}}
    if fault in NOT_PLAYED:
        return TOLD.get(fault, DONE)
    return {**TOLD.get(fault, {}), "fault": {"name": fault, **MORE.get(fault, {})}}


def begun(row: Ends, fault: str, kind: str, url: str, **changed: Any) -> tuple[World, RunKey]:
    """Start a run of an agent that has nothing but the vendor's model."""
    silence = {"silence_s": 0.1} if fault == "stall" else {}
    world = a_world(url, has_keys=fault != NO_KEY, **silence)
    schema = {"output_schema": SCHEMA} if fault == UNFIT else {}
    agent = registered(world, MODELS[kind], tools=[{"tool": "calculate"}], **schema, **changed)
    return world, world.start(agent)


@contextmanager
def place_of(fault: str, provider: FakeProvider) -> Iterator[str]:
    """Give the address that an agent's model is asked at."""
    if fault == REDIRECT:
        with raw_server("", status=302, headers={"location": "/elsewhere"}, is_framed=False) as elsewhere:
            yield elsewhere.url
    else:
        yield {NOWHERE: f"{provider.url}/nowhere", NO_CONNECTION: CLOSED}.get(fault, provider.url)


def carried(world: World, key: RunKey, mended: Providers | None = None) -> dict[str, Any]:
    """Carry a run to its end, as the machine does: its waits pass by the clock, and what is wrong may be mended in one."""
    for _ in range(40):
        try:
            answer = world.advance(key)
        except StoreConflict:
            continue  # somebody has ended it meanwhile, which the next invocation finds
        if answer.next == "done":
            return world.show(key)
        world.clock.forward(answer.seconds or 0)
        world.providers = mended or world.providers
    raise AssertionError("the run does not end")


def records(world: World, key: RunKey, kind: type[R]) -> list[R]:
    return [item.record for item in world.journal.load(key).records if isinstance(item.record, kind)]


def waits(world: World, key: RunKey) -> list[tuple[str, int]]:
    """Why the machine was to wait, and for how many seconds."""
    times = [(one.reason, one.at, one.until) for one in records(world, key, Waiting)]
    seconds = [(datetime.fromisoformat(until) - datetime.fromisoformat(at)).seconds for _, at, until in times]
    return [(reason, whole) for (reason, *_), whole in zip(times, seconds, strict=True)]


def check_books(world: World, key: RunKey, end: dict[str, Any]) -> None:
    """Every token that a vendor has told of is counted, and priced; every call has its result."""
    turns, totals = records(world, key, Turn), end["totals"]
    for name in ("input_tokens", "output_tokens"):
        assert totals[name] == sum(getattr(turn.reply.usage, name) for turn in turns)
    assert totals["cost_usd_micros"] == sum(turn.cost_usd_micros for turn in turns)
    assert all(turn.cost_usd_micros > 0 for turn in turns)
    asked = [call.id for turn in turns if not turn.late for call in turn.reply.calls]
    assert asked == [outcome.call for one in records(world, key, Results) for outcome in one.outcomes]


def cancel_in_the_stream(world: World, key: RunKey, provider: FakeProvider) -> None:
    """Cancel a run at a look that is taken while its second reply streams."""
    second = len(provider.requests) + 2

    def time_left_s() -> float:
        has_begun = len(provider.requests) == second and provider.requests[-1].events_sent > 5
        if has_begun and not world.runtime.heads[key].ended:
            world.cancel(key)
        return 100.0

    world.time_left_s = time_left_s


@pytest.mark.parametrize(("row", "fault", "kind"), EVERY)
def test_a_run_that_meets_a_fault_ends_as_the_page_says(
    row: Ends, fault: str, kind: str, provider: FakeProvider
) -> None:
    provider.script(CALLS, *[played(fault)] * row.attempts, DONE)
    with place_of(fault, provider) as url:
        world, key = begun(row, fault, kind, url)
        if fault == LEFT:
            cancel_in_the_stream(world, key, provider)
        end = carried(world, key, a_world(provider.url).providers if fault == NO_CONNECTION else None)
    check_books(world, key, end)
    waited = [(code_of(row, fault), row.waits_s)] if row.waits_s else []
    if row.passes:
        assert end["status"] == "COMPLETED", end["error"]
        assert (end["output"], waits(world, key)) == (DONE["text"], waited)
    else:
        status, code = "CANCELLED" if fault == LEFT else "FAILED", code_of(row, fault)
        assert (end["status"], end["error"]["code"], waits(world, key)) == (status, code, []), end["error"]


@pytest.mark.parametrize(("row", "fault", "kind"), LASTING)
def test_a_fault_that_stays_ends_the_run_by_its_name(
    row: Ends, fault: str, kind: str, provider: FakeProvider
) -> None:
    provider.script(CALLS, {**played(fault), "repeat": True})
    few = {"max_retries": 1} if row.lasting == "RATE_LIMITED" else {}
    world, key = begun(row, fault, kind, provider.url, **few)
    end = carried(world, key)
    check_books(world, key, end)
    assert (end["status"], end["error"]["code"]) == (row.lasting, code_of(row, fault)), end["error"]


def test_the_table_has_every_fault_that_the_provider_plays() -> None:
    assert {fault for row in ENDS for fault in row.faults} - set(NOT_PLAYED) == set(FAULTS) - {"slow"}
