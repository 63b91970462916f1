"""A wake-up that is lost heals within two minutes: the janitor finds what is kept and what its machine never heard of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.reconcile import ReconcileWorkflows
from tests.support.workflow_doubles import ill, well
from tests.support.workflow_world import WorkflowWorld

A_DAY_S = 86_400
TIMED = {"timeout_s": A_DAY_S}
SHAPES: dict[str, list[dict[str, Any]]] = {
    "agent": [{"id": "ask", "type": "agent", "agent": "helper", "with": {"input": 1}}],
    "person": [{"id": "ask", "type": "human", "question": "May I?", **TIMED}],
    "callback": [{"id": "ask", "type": "webhook", "wait_for_call": True, **TIMED}],
    "subworkflow": [{"id": "ask", "type": "subworkflow", "workflow": "other"}],
    "failure": [
        {"id": "ask", "type": "agent", "agent": "fails", "with": {"input": 1}, "on_error": "continue"},
        {"id": "then", "type": "transform", "needs": ["ask"], "run_when": "always", "output": 1},
    ],
    "failure of the run": [{"id": "ask", "type": "agent", "agent": "fails", "with": {"input": 1}}],
    "another attempt": [
        {
            "id": "ask",
            "type": "agent",
            "agent": "twice",
            "with": {"input": 1},
            "retry": {"strategy": "constant", "max_attempts": 3, "base_s": 5},
        }
    ],
    "in a body": [
        {
            "id": "each",
            "type": "foreach",
            "items": [1, 2, 3],
            "tasks": [{"id": "ask", "type": "human", "question": "May I?", **TIMED}],
        }
    ],
    "chunks": [
        {
            "id": "each",
            "type": "foreach",
            "items": [1, 2, 3],
            "chunk_size": 1,
            "tasks": [{"id": "ask", "type": "transform", "output": "{% $item %}"}],
        }
    ],
    "chunks that ask": [
        {
            "id": "each",
            "type": "foreach",
            "items": [1, 2],
            "chunk_size": 1,
            "tasks": [{"id": "ask", "type": "human", "question": "May I?", **TIMED}],
        }
    ],
    "joins": [
        {"id": "a", "type": "wait", "seconds": 3},
        {"id": "b", "type": "wait", "seconds": 7},
        {"id": "c", "type": "transform", "needs": ["a"], "output": 1},
        {"id": "d", "type": "transform", "needs": ["a", "b"], "output": 2},
    ],
    "steps": [
        {"id": "ask", "type": "human", "question": "May I?", **TIMED, "next": [{"to": "then"}]},
        {"id": "then", "type": "transform", "output": 1},
    ],
}


def a_world() -> WorkflowWorld:
    world = WorkflowWorld()
    world.register([{"id": "own", "type": "transform", "output": 1}], id="other")
    usual = world.reach.soon

    def soon(key: Any, place: Any, given: Any, said: Any) -> None:
        of = said.get("agent") if isinstance(said, dict) else None
        fails = of == "fails" or (of == "twice" and place.attempt < 3)
        if fails:
            world.reach.answers[place.path] = lambda *_: ill(passing=of == "twice")
        else:
            world.reach.answers.pop(place.path, None)
        usual(key, place, given, said)

    world.reach.soon = soon  # type: ignore[method-assign]
    return world


def with_janitor(world: WorkflowWorld, lost: Callable[[str], bool]) -> None:
    """Let a janitor go round each minute, whose own words arrive while others' are lost."""
    sweeping = [False]
    world.machines.lost = lambda token: not sweeping[0] and lost(token)

    def round_() -> None:
        sweeping[0] = True
        ReconcileWorkflows(world.ports, EndRun(world.ports, world._tell, world.reach.cancel_agent))()
        sweeping[0] = False
        world.loop.later(60, round_)

    world.loop.later(60, round_)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("delay_s", [0.0, 15.0, 50.0])
def test_what_waits_in_vain_is_woken_within_two_minutes(shape: str, delay_s: float) -> None:
    world = a_world()
    world.reach.delay_s = lambda place: delay_s
    with_janitor(world, lambda token: True)
    extra = {"start": "ask"} if shape == "steps" else {}
    ran = world.run(SHAPES[shape], **extra)
    assert ran.status == ("FAILED" if shape.startswith("failure") else "COMPLETED")
    # Each of the words that are lost in a row costs two minutes at most: two attempts, a person within a chunk.
    rows = {"another attempt": 3, "chunks that ask": 2}.get(shape, 1)
    assert world.loop.now_s <= rows * (delay_s + 120) + 20


def test_the_end_of_a_child_that_nobody_told_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    told, tell = [], world._tell

    def dies_first(head: Any, end: Any, output: Any) -> None:
        if head.parent and not told:
            told.append(head.run)
            return
        tell(head, end, output)

    monkeypatch.setattr(world, "_tell", dies_first)
    with_janitor(world, lambda token: False)
    ran = world.run(SHAPES["subworkflow"])
    assert (ran.status, ran.output, len(told)) == ("COMPLETED", 1, 1)
    assert world.loop.now_s <= 120


def test_a_chunk_whose_end_nobody_heard_of_begins_anew() -> None:
    world = a_world()
    world.reach.answers["each.ask"] = lambda place, given: None
    with_janitor(world, lambda token: False)
    world.register(SHAPES["chunks that ask"])
    key = world.start()
    world.loop.run(until=lambda: len(world.reach.questions) == 2)
    for chunk in world.chunks(key):
        chunk.stop()
    for place, _ in world.reach.questions:
        world.answer_task(key, place, well("yes"))
    ran = world.finish(key)
    assert (ran.status, len(ran.output)) == ("COMPLETED", 2)
    assert world.loop.now_s <= 130


def test_what_has_gone_on_is_not_woken_again() -> None:
    world = a_world()
    with_janitor(world, lambda token: False)
    slow = [{"id": f"w{number}", "type": "wait", "seconds": 500, "needs": ["ask"]} for number in range(3)]
    world.run([*SHAPES["person"], *slow])
    assert len(world.machines.sent) == 1
