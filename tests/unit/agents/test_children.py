"""Agents ask agents: in runs of their own, for which nobody holds a slot, and by handing a run over."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.budgets import TenantLimits
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import World

ASK = {"tool": "ask_researcher", "arguments": {"input": "What is it?"}}


@pytest.fixture
def world() -> World:
    return World()


def a_researcher(**changed: Any) -> dict[str, Any]:
    return an_agent_body(**{"id": "researcher", "rehearsal": {"turns": [{"say": "It is 42."}]}, **changed})


def an_asker(*calls: dict[str, Any], **changed: Any) -> dict[str, Any]:
    turns = [{"call": list(calls) or [ASK]}, {"say": "{% $results[0].content.output %}"}]
    return an_agent_body(
        **{"id": "asker", "tools": [{"agent": "researcher"}], "rehearsal": {"turns": turns}, **changed}
    )


def test_a_child_answers_its_parent(world: World) -> None:
    world.register(a_researcher())
    run = world.run(an_asker())
    assert (run["status"], run["output"]) == ("COMPLETED", "It is 42.")
    assert world.run_queue.slots == {}


def test_waiting_parents_hold_no_slot(world: World) -> None:
    world.limits.change("acme", TenantLimits(active=1), 0)
    world.register(a_researcher())
    world.register(an_asker(ASK, ASK))
    key = world.start("asker")
    answer = world.advance(key)
    assert answer.next == "waits"
    assert world.run_queue.slots == {}
    assert world.show(key)["status"] == "WAITING"
    for wait in answer.waits or []:
        world.wait(key, answer, wait.call)
    children = [item.started_by or "" for item in world.journal.load(key).calls.values()]
    assert len(set(children)) == 2
    for child in children:
        world.serve()
        world.finish(RunKey(tenant="acme", run=child))
    world.serve()
    assert world.finish(key)["output"] == "It is 42."
    assert world.run_queue.most_active["acme"] == 1


def test_a_child_is_started_once_however_often_the_wait_is_opened(world: World) -> None:
    world.register(a_researcher())
    world.register(an_asker())
    key = world.start("asker")
    answer = world.advance(key)
    call = (answer.waits or [])[0].call
    for _ in range(3):
        world.wait(key, answer, call)
    assert len(world.machine.started) == 2


def test_what_children_spend_counts_towards_the_parents_limit(world: World) -> None:
    world.register(a_researcher())
    run = world.run(an_asker(limits={"cost_limit_usd": "0.03"}))
    child = next(head for head in world.runtime.heads.values() if head.agent == "researcher")
    first = world.journal.load(child.key).records[0].record
    assert child.parent == run["id"]
    assert 0 < first.cost_limit_usd_micros < 30_000
    assert child.totals.cost_usd_micros > 0


def test_a_failed_child_is_a_result_that_the_model_sees(world: World) -> None:
    world.register(a_researcher(limits={"cost_limit_usd": "0.000001"}))
    turns = [{"call": [ASK]}, {"say": "{% $results[0].content.status %}"}]
    assert world.run(an_asker(rehearsal={"turns": turns}))["output"] == "BUDGET_EXCEEDED"


def test_a_circle_of_agents_is_told_to_the_model_and_not_run(world: World) -> None:
    world.register(a_researcher())
    world.register(an_asker())
    back = {"tool": "ask_asker", "arguments": {"input": "And you?"}}
    turns = [{"call": [back]}, {"say": "{% $results[0].content.detail %}"}]
    circular = a_researcher(tools=[{"agent": "asker"}], rehearsal={"turns": turns})
    world.swap_version(circular)
    assert "circle: asker → researcher → asker" in world.finish(world.start("asker"))["output"]


def test_cancel_reaches_the_children(world: World) -> None:
    world.register(a_researcher())
    world.register(an_asker())
    key = world.start("asker")
    answer = world.advance(key)
    world.wait(key, answer, (answer.waits or [])[0].call)
    world.cancel(key)
    assert {head.status.value for head in world.runtime.heads.values()} == {"CANCELLED"}
    assert world.run_queue.slots == {}


def test_a_child_that_begins_after_its_parent_has_ended_ends_at_once(world: World) -> None:
    world.register(a_researcher())
    world.register(an_asker())
    key = world.start("asker")
    answer = world.advance(key)
    world.wait(key, answer, (answer.waits or [])[0].call)
    child = next(head.key for head in world.runtime.heads.values() if head.parent)
    world.end_unseen(key)
    assert world.finish(child)["status"] == "CANCELLED"


def test_an_answer_that_never_comes_is_told_to_the_model(world: World) -> None:
    world.register(a_researcher())
    turns = [{"call": [ASK]}, {"say": "{% $results[0].content.error %}"}]
    world.register(an_asker(rehearsal={"turns": turns}))
    key = world.start("asker")
    answer = world.advance(key)
    call = (answer.waits or [])[0].call
    world.wait(key, answer, call)
    done = world.advance(key, awaited=answer.seq, failed=[{"call": call, "error": "States.Timeout"}])
    assert done.next == "done"
    assert world.show(key)["output"] == "NoAnswer"


def test_a_run_is_handed_over_with_its_conversation(world: World) -> None:
    world.register(a_researcher(rehearsal={"turns": [{"say": "Billing speaks."}, {"say": "never"}]}))
    hand = {"tool": "transfer_to_researcher", "arguments": {"reason": "money"}}
    body = an_asker(tools=[{"handoff": "researcher"}], rehearsal={"turns": [{"call": [hand]}]})
    run = world.run(body)
    assert run["output"] == "Billing speaks."
    assert [
        e["data"] for e in world.events(RunKey(tenant="acme", run=run["id"])) if "handed" in e["type"]
    ] == [{"agent": "researcher", "version": "1.0.0"}]
    lines = world.runtime.cost_book.lines("acme", "2000-01-01", "2999-01-01")
    assert {line.agent: line.runs for line in lines} == {"asker": 1, "researcher": 0}
