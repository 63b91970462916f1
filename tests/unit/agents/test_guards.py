"""Guarded calls: a person's yes comes first, whatever the tool is; without one nothing happens."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.call_tool import CallTool
from stepward.agents.machine_messages import AdvanceAnswer, CallRequest
from stepward.agents.run_control import PauseRun, ResumeRun
from stepward.domain.errors import InvalidRequest
from stepward.domain.journal import Turn
from stepward.domain.runs import RunKey
from stepward.ports.run_machine import RESUME_CALL
from stepward.tools.base import ToolContext
from tests.support.approval_runs import Waiting, shown
from tests.support.builders import an_agent_body
from tests.support.driver import World

GUARD = {"approvers": ["ann"], "timeout_s": 3_600}
SUM = {"tool": "calculate", "arguments": {"expression": "6 * 7"}}
LOOK = {"tool": "policy_lookup", "arguments": {"topic": "refunds"}}
SAID = {"say": "{% $string($results.content) %}"}


@pytest.fixture
def world() -> World:
    found = World()
    found.datasets.put("acme", "policy.json", b'{"topics": {"refunds": "30 days"}}')
    return found


def a_guarded(*calls: dict[str, Any], guard: dict[str, Any] | None = GUARD, **changed: Any) -> dict[str, Any]:
    tools = [
        {"tool": "calculate", "approval": guard},
        {"tool": "policy_lookup", "config": {"source": "policy.json"}, "approval": guard},
    ]
    return an_agent_body(**{"tools": tools, "rehearsal": {"turns": [{"call": list(calls)}, SAID]}, **changed})


def test_an_inline_call_waits_for_a_yes(world: World) -> None:
    run = Waiting(world, a_guarded(SUM))
    approval = run.approvals[0]
    assert (approval.question, approval.details) == ("May helper call calculate?", {"expression": "6 * 7"})
    assert (run.answer.waits or [])[0].seconds == 3_600
    assert world.run_queue.slots == {}
    world.decide(approval.id)
    assert "42" in run.go_on()["output"]


def test_a_remote_call_is_made_once_it_is_approved(world: World) -> None:
    run = Waiting(world, a_guarded(LOOK))
    world.decide(run.id)
    answer = world.advance(run.key, awaited=run.answer.seq)
    assert answer.next == "calls"
    assert [world.call(run.key, answer, call) for call in answer.calls or []] == ["done"]
    assert world.advance(run.key, called=answer.seq, asked=answer.calls).next == "done"
    assert "30 days" in world.show(run.key)["output"]


def test_a_no_is_the_calls_result_and_nothing_is_called(world: World) -> None:
    run = Waiting(world, a_guarded(LOOK))
    world.decide(run.id, "deny", comment="not today")
    output = run.go_on()["output"]
    assert "ApprovalDenied" in output
    assert "ann said no" in output
    assert "not today" in output


def test_no_answer_in_time_is_no_yes(world: World) -> None:
    run = Waiting(world, a_guarded(SUM))
    assert run.timeout().next == "done"
    assert "NoAnswer" in world.show(run.key)["output"]
    assert "42" not in world.show(run.key)["output"]
    assert shown(world, run.id)["status"] == "expired"


def test_calls_of_all_kinds_in_one_turn(world: World) -> None:
    body = a_guarded(SUM, LOOK, SUM)
    body["tools"] += [{"tool": "policy_lookup", "name": "free", "config": {"source": "policy.json"}}]
    body["rehearsal"]["turns"][0]["call"].append({**LOOK, "tool": "free"})
    world.register(body)
    key = world.start()
    free = world.advance(key)
    assert (free.next, len(free.calls or [])) == ("calls", 1)
    world.call(key, free, (free.calls or [])[0])
    waits = world.advance(key, called=free.seq, asked=free.calls)
    assert (waits.next, len(waits.waits or [])) == ("waits", 3)
    for wait in waits.waits or []:
        world.wait(key, waits, wait.call)
    first, second, third = world.approvals.of_run(key)
    world.decide(first.id)
    world.decide(second.id)
    world.decide(third.id, "deny")
    calls = world.advance(key, awaited=waits.seq)
    assert calls.next == "calls"
    world.call(key, calls, (calls.calls or [])[0])
    assert world.advance(key, called=calls.seq, asked=calls.calls).next == "done"
    results = [e["data"] for e in world.events(key) if e["type"] == "agent.tool.completed"]
    assert [r["error"] for r in results] == [None, None, "ApprovalDenied", None]


@pytest.fixture
def free_to_ask(world: World) -> Waiting:
    """A run that may ask another agent, once its machine was woken by the yes."""
    world.register(an_agent_body(id="researcher", rehearsal={"turns": [{"say": "It is 42."}]}))
    ask = {"tool": "ask_researcher", "arguments": {"input": "What?"}}
    run = Waiting(world, a_guarded(ask, tools=[{"agent": "researcher", "approval": GUARD}]))
    assert len(world.machine.started) == 1
    world.decide(run.id)
    return run


def child_of(run: Waiting, answer: AdvanceAnswer) -> RunKey:
    call = (answer.waits or [])[0].call
    run.world.wait(run.key, answer, call)
    item = run.world.journal.call(run.key, call)
    return RunKey(tenant="acme", run=str(item and item.started_by))


def test_a_guarded_agent_is_asked_after_the_yes(world: World, free_to_ask: Waiting) -> None:
    run = free_to_ask
    answer = world.advance(run.key, awaited=run.answer.seq)
    assert (answer.next, world.run_queue.slots) == ("waits", {})
    assert world.finish(child_of(run, answer))["status"] == "COMPLETED"
    assert world.advance(run.key, awaited=answer.seq).next == "done"
    assert "It is 42." in world.show(run.key)["output"]


def test_an_advance_that_comes_twice_between_two_waits_takes_none_for_over(
    world: World, free_to_ask: Waiting
) -> None:
    """The second wait has begun when the word comes again that the first is over."""
    run = free_to_ask
    answer = world.advance(run.key, awaited=run.answer.seq)
    before = world.kinds(run.key)
    assert world.advance(run.key, awaited=run.answer.seq) == answer
    assert world.kinds(run.key) == before
    child = child_of(run, answer)
    assert world.advance(run.key, awaited=run.answer.seq) == answer
    world.finish(child)
    assert world.advance(run.key, awaited=answer.seq).next == "done"
    assert "It is 42." in world.show(run.key)["output"]


def test_a_pause_between_two_waits_holds_the_second(world: World, free_to_ask: Waiting) -> None:
    run = free_to_ask
    PauseRun(world.ports)("acme", run.key.run, "tester")
    held = world.advance(run.key, awaited=run.answer.seq)
    assert [wait.call for wait in held.waits or []] == [RESUME_CALL]
    assert len(world.machine.started) == 1
    ResumeRun(world.ports)("acme", run.key.run, "tester")
    answer = world.advance(run.key, awaited=held.seq)
    assert answer.next == "waits"
    world.finish(child_of(run, answer))
    assert world.advance(run.key, awaited=answer.seq).next == "done"


def test_a_call_that_could_not_be_made_is_not_asked_about(world: World) -> None:
    run = Waiting(world, a_guarded({"tool": "calculate", "arguments": {"sum": "1"}}))
    assert run.approvals == []
    assert "ToolArgumentInvalid" in run.go_on()["output"]


def test_the_room_of_tools_looks_for_the_yes_itself(world: World) -> None:
    run = Waiting(world, a_guarded(LOOK))
    turn = next(i for i in world.journal.load(run.key).records if isinstance(i.record, Turn))
    call = turn.record.reply.calls[0].id  # type: ignore[union-attr]
    request = CallRequest(
        v=1,
        tenant="acme",
        run=run.key.run,
        agent="helper",
        version="1.0.0",
        seq=turn.seq,
        newest=99,
        call=call,
    )
    case = CallTool(
        world.journal, world._definition, lambda *said: ToolContext(*said, world.datasets), "somebody"
    )
    assert case(request) == "done"
    result = world.journal.call(run.key, call).result  # type: ignore[union-attr]
    assert (result.error, result.content["detail"]) == (  # type: ignore[union-attr]
        "ApprovalDenied",
        "this call was not approved and not made.",
    )


def test_a_cancel_closes_what_guards_have_asked(world: World) -> None:
    run = Waiting(world, a_guarded(SUM, LOOK))
    world.cancel(run.key)
    assert {one.status.value for one in run.approvals} == {"cancelled"}


def test_what_is_long_is_shown_by_where_it_is(world: World) -> None:
    long = {"tool": "ask_researcher", "arguments": {"input": "{% $pad('', 300000, 'x') %}"}}
    world.register(an_agent_body(id="researcher"))
    run = Waiting(world, a_guarded(long, tools=[{"agent": "researcher", "approval": GUARD}]))
    assert "agent.tool.called" in run.approvals[0].details["read"]


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ({"approvers": ["a b"]}, "approvers"),
        ({"timeout_s": 59}, "timeout_s"),
        ({"timeout_s": 31_536_001}, "timeout_s"),
        ({"timeout_s": 60, "reminder_after_s": 60}, "reminder_after_s"),
        ({"escalate_to": ["a"]}, "escalate_after_s"),
        ({"escalate_to": ["a"], "escalate_after_s": 60}, "approvers"),
        ({"form": [{"name": "a"}, {"name": "a"}]}, "the same name"),
        ({"form": [{"name": "a", "type": "choice"}]}, "choices"),
        ({"form": [{"name": "a", "choices": ["b"]}]}, "choices"),
        ({"aprovers": ["a"]}, "aprovers"),
    ],
)
def test_a_guard_that_could_not_be_kept_is_refused(world: World, guard: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        world.register(a_guarded(SUM, guard=guard))
    assert said in f"{raised.value.field} {raised.value.detail}"
    with pytest.raises(InvalidRequest) as raised:
        world.register(an_agent_body(tools=[{"tool": "ask_person", "config": guard}]))
    assert said in f"{raised.value.field} {raised.value.detail}"


def test_asking_a_person_needs_no_guard(world: World) -> None:
    with pytest.raises(InvalidRequest, match="asks a person by itself"):
        world.register(an_agent_body(tools=[{"tool": "ask_person", "approval": GUARD}]))
