"""A graph of a thousand tasks is read, checked and compiled quickly; what no machine could hold is said so."""

from __future__ import annotations

import random

from stepward.domain.workflows import WorkflowDefinition
from stepward.workflow.compiling.program import MOST_MACHINE_BYTES, compile_workflow


def a_graph(count: int, needed: int) -> WorkflowDefinition:
    drawn = random.Random(7)
    tasks = [
        {
            "id": f"t{one}",
            "type": "transform",
            "needs": [f"t{other}" for other in drawn.sample(range(max(0, one - 60), one), min(one, needed))],
        }
        for one in range(count)
    ]
    document = {"id": "large-flow", "name": "Large", "version": "1.0.0", "tasks": tasks}
    return WorkflowDefinition.model_validate(document)


def test_a_large_chain_fits() -> None:
    assert compile_workflow(a_graph(1_000, 1)).fault is None


def test_the_same_document_gives_the_same_bytes() -> None:
    assert compile_workflow(a_graph(200, 3)).text() == compile_workflow(a_graph(200, 3)).text()


def test_what_no_machine_can_hold_is_said() -> None:
    compiled = compile_workflow(a_graph(1_000, 5))
    assert len(compiled.program.tasks) == 1_000
    assert compiled.fault is not None
    assert str(MOST_MACHINE_BYTES) in compiled.fault


def test_no_latch_grows_too_large() -> None:
    program = compile_workflow(a_graph(600, 4)).program
    latches: dict[str, int] = {}
    for planned in program.tasks.values():
        latches[planned.latch] = latches.get(planned.latch, 0) + 1
    assert max(latches.values()) <= 40
