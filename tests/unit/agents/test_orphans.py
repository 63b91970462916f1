"""No run goes on whose answer nobody waits for, however that came about."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.reconcile import CloseRun
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.unit.agents.test_pause import TWO_TURNS, pause


def asks(agent: str) -> dict[str, Any]:
    call = {"tool": f"ask_{agent}", "arguments": {"input": "x"}}
    return {"turns": [{"call": [call]}, {"say": "{% $results[0].content.error %}"}]}


@pytest.fixture
def world() -> World:
    """Three agents: `top` asks `middle`, who asks `low`, who takes two turns."""
    world = World()
    world.register(an_agent_body(id="low", tools=[{"tool": "calculate"}], rehearsal=TWO_TURNS))
    world.register(an_agent_body(id="middle", tools=[{"agent": "low"}], rehearsal=asks("low")))
    world.register(
        an_agent_body(id="top", tools=[{"agent": "middle", "timeout_s": 60}], rehearsal=asks("middle"))
    )
    return world


def asked(world: World, key: RunKey) -> tuple[Any, RunKey]:
    """Let a run ask; answer what its machine was told, and the run that it asked."""
    answer = world.advance(key)
    world.wait(key, answer, "call_1_1")
    item = world.journal.call(key, "call_1_1")
    assert item is not None
    return answer, RunKey(tenant="acme", run=str(item.started_by))


def half_done(world: World, key: RunKey) -> None:
    """Take the first of two turns."""
    world.time_left_s = lambda: 1.0
    assert world.advance(key).next == "again"
    world.time_left_s = lambda: 100.0


def statuses(world: World, *keys: RunKey) -> list[str]:
    return [str(world.show(key)["status"]) for key in keys]


def timed_out(world: World, key: RunKey, answer: Any) -> None:
    world.clock.forward(61)
    failed = [{"call": "call_1_1", "error": "States.Timeout"}]
    world.advance(key, awaited=answer.seq, failed=failed)


def test_whoever_answers_too_late_is_ended_and_its_cost_counts(world: World) -> None:
    top = world.start("top")
    answer, middle = asked(world, top)
    _, low = asked(world, middle)
    half_done(world, low)
    timed_out(world, top, answer)
    assert statuses(world, top, middle, low) == ["COMPLETED", "CANCELLED", "CANCELLED"]
    assert world.show(top)["output"] == "NoAnswer"
    spent = sum(world.show(key)["totals"]["cost_usd_micros"] for key in (middle, low))
    assert fold(world.journal.load(top)).ledger.children_usd_micros == spent > 0
    assert world.run_queue.slots == {}


def test_the_machine_of_whoever_waits_for_nobody_is_woken(world: World) -> None:
    top = world.start("top")
    answer, middle = asked(world, top)
    waits = world.advance(middle)
    token = world.wait(middle, waits, "call_1_1")
    timed_out(world, top, answer)
    assert token in world.machine.answered
    assert world.advance(middle, awaited=waits.seq).next == "done"


def test_whoever_is_started_after_its_call_was_given_up_ends_at_once(world: World) -> None:
    top = world.start("top")
    answer = world.advance(top)
    ended_head, world.runtime.head = world.runtime.head, lambda _: None  # type: ignore[method-assign]
    world.wait(top, answer, "call_1_1")
    timed_out(world, top, answer)
    world.runtime.head = ended_head  # type: ignore[method-assign]
    middle = next(head.key for head in world.runtime.heads.values() if head.agent == "middle")
    assert world.finish(middle)["status"] == "CANCELLED"


def test_a_parent_whose_machine_is_gone_takes_those_below_with_it(world: World) -> None:
    top = world.start("top")
    _, middle = asked(world, top)
    _, low = asked(world, middle)
    half_done(world, low)
    CloseRun(world.ports)(top, "States.Timeout", "the execution timed out")
    assert statuses(world, top, middle, low) == ["FAILED", "CANCELLED", "CANCELLED"]


def test_whoever_was_forgotten_ends_at_its_next_step(world: World) -> None:
    top = world.start("top")
    _, middle = asked(world, top)
    _, low = asked(world, middle)
    half_done(world, low)
    world.end_unseen(middle)
    assert world.finish(low)["status"] == "CANCELLED"


def test_a_child_in_line_or_paused_is_ended_too(world: World) -> None:
    top = world.start("top")
    answer, middle = asked(world, top)
    pause(world, middle)
    paused = world.advance(middle)
    token = world.wait(middle, paused, "resume")
    timed_out(world, top, answer)
    assert statuses(world, top, middle) == ["COMPLETED", "CANCELLED"]
    assert token in world.machine.answered
