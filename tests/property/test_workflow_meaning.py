"""The compiled machine means what the document says: it agrees with a reference that has no machine, in every order."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.chunks import Chunk
from stepward.domain.errors import OutputMalformed
from stepward.domain.task_records import TaskPlace, WorkflowHead
from stepward.domain.workflows import WorkflowDefinition
from stepward.expressions.evaluate import evaluate
from stepward.ports.tasks import TaskOutcome
from stepward.workflows.compiler import machine_size
from stepward.workflows.runs.chunks import MOST_EXECUTIONS
from stepward.workflows.runs.task_requests import TaskRequest
from tests.support.drawn_workflows import Drawing
from tests.support.draws import drawn
from tests.support.reference_interpreter import Reference
from tests.support.workflow_doubles import ill, well
from tests.support.workflow_world import Died, Ran, WorkflowWorld

GIVEN = {"n": 3, "yes": True}
evaluate("{% 1 %}", {})  # its library sets the limit of recursion, which must not change while examples run


def is_ill(path: str, at: str) -> bool:
    """Whether an agent fails, the same wherever it is asked."""
    return zlib.crc32(f"{path}@{at}".encode()) % 4 == 0


def agent(path: str, at: str, said: Any) -> Any:
    if is_ill(path, at):
        raise OutputMalformed("the agent failed")
    return {"agent": "helper", "given": said}


def a_world(seed: int, definition: WorkflowDefinition, *, troubled: bool) -> WorkflowWorld:
    chance = random.Random(seed)
    world = WorkflowWorld(seed, lambda path, at: chance.choice([0.0, 0.0, 0.5, 1.0, 2.0]))
    world.engine.write_s = lambda: chance.choice([0.0, 0.0, 0.5])
    world.reach.delay_s = lambda place: chance.choice([0.0, 0.5, 1.5])
    with pytest.MonkeyPatch.context() as patch:
        if seed % 4 == 0:
            # As if the machine had no bytes for its awaits: its room makes them.
            patch.setattr(machine_size, "MOST_REQUEST_BYTES", 0)
        world.keep(definition)
    program = world.program("acme", "flow", "1.0.0")
    world.reach.answers |= {path: answered for path, one in program.tasks.items() if one.task.type == "agent"}
    if troubled:
        _trouble(world, chance)
    return world


def answered(place: TaskPlace, said: Any) -> TaskOutcome:
    return ill() if is_ill(place.path, place.at) else well({"agent": "helper", "given": said})


def _trouble(world: WorkflowWorld, chance: random.Random) -> None:
    """Let processes die before and after their work, executions of chunks in their midst, and words to awaits get lost."""
    room = world.room

    def mortal(request: TaskRequest) -> dict[str, Any]:
        dies = request.tries < 2 and chance.random() < 0.15
        if dies and chance.random() < 0.5:
            raise Died
        answer = room(request)
        if dies:
            raise Died
        return answer

    world.room = mortal  # type: ignore[method-assign]
    start = world.machines.start

    def doomed(head: WorkflowHead, chunk: Chunk | None = None) -> None:
        start(head, chunk)
        if chunk and chunk.attempt < MOST_EXECUTIONS and chance.random() < 0.3:
            world.loop.later(chance.choice([0.0, 0.5, 2.0]), lambda: world.kill(world.chunk(head, chunk)))

    world.machines.start = doomed  # type: ignore[method-assign]
    world.machines.lost = lambda token: token in world.parked and chance.random() < 0.2


def agrees(definition: WorkflowDefinition, ran: Ran) -> None:
    reference = Reference(definition, agent)
    status, output = reference.run(GIVEN)
    expected = {f"{path}@{at}" if at else path: end for (path, at), end in reference.ended.items()}
    assert ran.execution.status == ("FAILED" if ran.status == "FAILED" else "SUCCEEDED")
    assert ran.status == status
    assert ran.statuses.items() <= {task: end[0] for task, end in expected.items()}.items()
    assert ran.outputs == {task: expected[task][1] for task in ran.outputs}
    if not reference.is_fatal:
        assert ran.statuses.keys() == expected.keys()
        assert ran.output == output


@drawn(150)
@given(st.integers(0, 2**32))
def test_machine_and_reference_agree(seed: int) -> None:
    definition = Drawing(seed).document()
    world = a_world(seed, definition, troubled=False)
    agrees(definition, world.finish(world.start(GIVEN)))


@drawn(150)
@given(st.integers(0, 2**32))
def test_they_agree_whatever_dies_or_gets_lost(seed: int) -> None:
    definition = Drawing(seed).document()
    world = a_world(seed, definition, troubled=True)
    agrees(definition, world.finish(world.start(GIVEN)))
