"""Which tasks share a latch."""

from __future__ import annotations

from stepward.workflow.order.homes import homes
from stepward.workflow.order.steps import Await, Task, par, seq


def test_a_task_that_nobody_awaits_has_no_latch() -> None:
    assert homes(seq(Task(0), Task(1)), 2) == [None, None]


def test_tasks_awaited_together_share_one() -> None:
    tree = par(seq(Task(0), Await((3, 1)), Task(2)), Task(1), Task(3))
    assert homes(tree, 4) == [None, "0", None, "0"]


def test_awaits_that_overlap_make_one_of_all() -> None:
    tree = par(
        seq(Task(4), Await((3, 2)), Task(5)), seq(Task(0), Await((1, 2)), Task(6)), *map(Task, (1, 2, 3))
    )
    assert homes(tree, 7) == [None, "0", "0", "0", None, None, None]


def test_latches_are_numbered_by_their_first_tasks() -> None:
    tree = par(seq(Task(4), Await((3,)), Task(5)), seq(Task(0), Await((1,)), Task(2)), Task(1), Task(3))
    assert homes(tree, 6) == [None, "0", None, "1", None, None]
