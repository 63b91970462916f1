"""No task of a compiled machine waits for one that it does not need: in virtual time it takes the critical path."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stepward.workflows.program.graphs import ancestors, critical_path, transitive_reduction
from tests.support.draws import drawn as drawn_examples
from tests.support.task_graphs import Needs, drawn
from tests.support.workflow_world import WorkflowWorld


def as_document(needs: Needs) -> list[dict[str, Any]]:
    return [
        {"id": f"t{task}", "type": "transform", "output": task, "needs": [f"t{need}" for need in found]}
        for task, found in enumerate(needs)
    ]


def most_states(needs: Needs) -> int:
    """N + 1, and at most 1 + J + F: joins after reduction, and tasks that alone stand before two others."""
    direct = transitive_reduction(needs, ancestors(needs))
    single = [found[0] for found in direct if len(found) == 1]
    joins, forks = (
        sum(len(found) > 1 for found in direct),
        sum(single.count(task) > 1 for task in set(single)),
    )
    return len(needs) + 1 + 1 + joins + forks


@drawn_examples(150)
@given(drawn(), st.randoms(use_true_random=False))
def test_the_machine_takes_the_critical_path(needs: Needs, chance: Any) -> None:
    # All of it stays under the 900 s after which an await registers anew: what ends in that second is seen a second late.
    longest_s = min(300, 800 // len(needs))
    durations = [chance.randint(1, longest_s) for _ in needs]
    world = WorkflowWorld(chance.randint(0, 2**32), lambda path, at: durations[int(path[1:])])
    ran = world.run(as_document(needs))
    starts = {request.task: at_s for at_s, request in world.requests if request.step is None}
    ends = {task: starts[f"t{task}"] + durations[task] for task in range(len(needs))}
    assert ran.status == "COMPLETED"
    assert ran.outputs == {f"t{task}": task for task in range(len(needs))}
    assert len(world.requests) == len(needs) + 1, "no task was entered twice"
    for task, found in enumerate(needs):
        assert starts[f"t{task}"] == max((ends[need] for need in found), default=0)
    assert ran.execution.ended_at_s == critical_path(needs, durations).length
    assert len(ran.entered) <= most_states(needs)
