"""The janitor reaches everybody: those who wait for months, and those behind them."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.small_ports import StillClock
from stepward.agents.journal_writer import RunWriter
from stepward.agents.reconcile import RUNS_A_SWEEP, ReconcileRuns, chosen
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import StoreThrottled
from stepward.domain.journal import Created
from stepward.domain.runs import RunKey
from tests.support.builders import a_head, a_turn, an_agent_body
from tests.support.driver import World

ASK = {"tool": "ask_child", "arguments": {"input": "x"}}
MINUTE_S = 60


def a_world(active: int = 1) -> World:
    world = World()
    world.limits.change("acme", TenantLimits(active=active), 0)
    world.limits.change_account(AccountLimits(active=active))
    world.register(an_agent_body())
    turns = [{"call": [ASK]}, {"say": "Done."}]
    asks = [{"agent": "helper", "name": "ask_child"}]
    world.register(an_agent_body(id="asker", tools=asks, rehearsal={"turns": turns}))
    return world


def sweep(world: World, times: int = 1) -> dict[str, int]:
    for _ in range(times):
        world.clock.forward(MINUTE_S)
        done = ReconcileRuns(world.ports)()
    return done


def a_parked(world: World) -> RunKey:
    key = world.start("asker")
    assert world.advance(key).next == "waits"
    return key


def its_child(world: World, key: RunKey) -> RunKey:
    item = world.journal.call(key, "call_1_1")
    assert item is not None
    return RunKey(tenant="acme", run=str(item.started_by))


def test_a_run_with_its_answers_whose_nudge_was_lost_is_admitted() -> None:
    world = a_world()
    key = world.start("asker")
    answer = world.advance(key)
    world.wait(key, answer, "call_1_1")
    world.finish(its_child(world, key))
    other = world.start()
    send, world.wake_ups.send = world.wake_ups.send, _throttled  # type: ignore[method-assign]
    try:
        world.advance(key, awaited=answer.seq)
    except StoreThrottled:
        world.wake_ups.send = send  # type: ignore[method-assign]
    waits = world.advance(key, awaited=answer.seq)
    world.wait(key, waits, "slot")
    world.finish(other)
    world.wake_ups.sent.clear()
    sweep(world)
    assert world.wake_ups.sent == ["acme"]
    assert world.serve() == 1
    assert world.finish(key)["status"] == "COMPLETED"


def _throttled(*_: Any, **__: Any) -> None:
    raise StoreThrottled("too many messages")


def test_an_answer_that_its_machine_never_heard_of_wakes_it_in_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = a_world(active=2)
    key = world.start("asker")
    token = world.wait(key, world.advance(key), "call_1_1")
    with monkeypatch.context() as lost:
        lost.setattr(world.machine, "answer", lambda token: False)
        world.finish(its_child(world, key))
    assert token not in world.machine.answered
    sweep(world)
    assert world.machine.answered.count(token) == 1


def test_those_who_wait_keep_nobody_else_from_being_looked_at() -> None:
    world = a_world(active=RUNS_A_SWEEP * 2)
    for _ in range(RUNS_A_SWEEP):
        a_parked(world)
    start, world.machine.start = world.machine.start, lambda *_: None  # type: ignore[method-assign]
    lost = world.start()
    world.machine.start = start  # type: ignore[method-assign]
    assert sweep(world)["started"] == 1
    assert f"{lost.run}.1" in world.machine.started


def test_of_those_who_wait_everybody_has_a_turn() -> None:
    world = a_world(active=RUNS_A_SWEEP * 2)
    for _ in range(RUNS_A_SWEEP):
        a_parked(world)
    last = a_parked(world)
    world.cancel_in_journal(last)
    sweep(world, 3)
    assert world.show(last)["status"] == "CANCELLED"


@pytest.mark.parametrize("status", ["RUNNING", "WAITING"])
def test_a_round_is_bounded_and_every_run_has_its_round(status: str) -> None:
    heads = [a_head(number, status=status) for number in range(3 * RUNS_A_SWEEP + 7)]
    clock, seen = StillClock(), set()
    for _ in range(4):
        looked_at = chosen(heads, clock.now())
        assert len(looked_at) == RUNS_A_SWEEP
        seen |= {head.run for head in looked_at}
        clock.forward(MINUTE_S)
    assert len(seen) == len(heads)


def test_a_cancel_whose_canceller_died_is_finished() -> None:
    world = a_world()
    key = a_parked(world)
    world.cancel_in_journal(key)
    assert sweep(world)["closed"] == 1
    assert (world.show(key)["status"], world.run_queue.count("acme").parked) == ("CANCELLED", 0)


def test_a_run_that_waits_for_a_machine_that_is_gone_is_closed_within_an_hour() -> None:
    world = a_world()
    key, other = a_parked(world), a_parked(world)
    world.machine.stop(f"{key.run}.1", "gone", "and its event was lost")
    sweep(world, 60)
    assert world.show(key)["status"] == "FAILED"
    assert world.show(other)["status"] == "WAITING"


def test_a_run_that_was_answered_while_its_machine_was_gone_is_closed_in_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stepward.agents.reconcile._has_its_minute", lambda *_: False)
    world = a_world(active=3)
    key, other = world.start("asker"), world.start("asker")
    for run in (key, other):
        world.wait(run, world.advance(run), "call_1_1")
    world.machine.stop(f"{key.run}.1", "gone", "and its event was lost")
    sweep(world)
    assert world.show(key)["status"] == "WAITING"
    monkeypatch.setattr(world.machine, "answer", lambda token: False)
    for run in (key, other):
        world.finish(its_child(world, run))
    sweep(world)
    assert (world.show(key)["status"], world.show(key)["error"]["code"]) == ("FAILED", "ExecutionStopped")
    assert world.show(other)["status"] == "WAITING"


def test_a_late_bill_does_not_hide_that_nobody_has_begun() -> None:
    world = a_world()
    start, world.machine.start = world.machine.start, lambda *_: None  # type: ignore[method-assign]
    key = world.start()
    world.machine.start = start  # type: ignore[method-assign]
    writer = RunWriter.open(world.ports, key, "somebody")
    assert isinstance(world.journal.load(key).records[-1].record, Created)
    writer.append(a_turn(late=True))
    assert sweep(world)["started"] == 1


def test_a_run_whose_machine_was_gone_before_it_began_gives_its_slot_back_in_the_end() -> None:
    world = a_world()
    key = world.start()
    world.machine.stop(f"{key.run}.1", "gone", "and its event was lost")
    sweep(world)
    assert list(world.run_queue.slots) == [key]
    world.clock.forward(86_400)
    assert sweep(world)["closed"] == 1
    assert (world.show(key)["status"], world.run_queue.slots) == ("FAILED", {})


def test_a_start_that_was_lost_after_a_long_time_in_line_is_made_up() -> None:
    world = a_world()
    first, second = world.start(), world.start()
    world.clock.forward(86_400)
    world.finish(first)
    start, world.machine.start = world.machine.start, lambda *_: None  # type: ignore[method-assign]
    world.serve()
    world.machine.start = start  # type: ignore[method-assign]
    assert sweep(world)["started"] == 1
    assert world.finish(second)["status"] == "COMPLETED"
