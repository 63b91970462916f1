"""Which tasks share a latch."""

from __future__ import annotations

from stepward.workflows.compiler.latches import latch_groups
from stepward.workflows.compiler.series_parallel.tree import Await, Task, par, seq


def test_a_task_that_nobody_awaits_has_no_latch() -> None:
    assert latch_groups(seq(Task(0), Task(1)), 2) == [None, None]


def test_tasks_awaited_together_share_one() -> None:
    tree = par(seq(Task(0), Await((3, 1)), Task(2)), Task(1), Task(3))
    assert latch_groups(tree, 4) == [None, "0", None, "0"]


def test_awaits_that_overlap_make_one_of_all() -> None:
    tree = par(
        seq(Task(4), Await((3, 2)), Task(5)), seq(Task(0), Await((1, 2)), Task(6)), *map(Task, (1, 2, 3))
    )
    assert latch_groups(tree, 7) == [None, "0", "0", "0", None, None, None]


def test_latches_are_numbered_by_their_first_tasks() -> None:
    tree = par(seq(Task(4), Await((3,)), Task(5)), seq(Task(0), Await((1,)), Task(2)), Task(1), Task(3))
    assert latch_groups(tree, 6) == [None, "0", None, "1", None, None]
