"""Parallels that nest too deep are lifted."""

from __future__ import annotations

import pytest
from hypothesis import given

from stepward.workflows.compiler.series_parallel import simplify
from stepward.workflows.compiler.series_parallel.arrange import arrange
from stepward.workflows.compiler.series_parallel.simplify import depth, flatten
from stepward.workflows.compiler.series_parallel.tree import Await, Par, Seq, Step, Task, counts
from tests.support.draws import drawn as drawn_examples
from tests.support.simulated_machine import SimulatedMachine
from tests.support.task_graphs import Needs, drawn

T = [Task(index) for index in range(12)]


@pytest.fixture(scope="module", autouse=True)
def _only_two_levels() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simplify, "DEEPEST", 2)
        yield


def test_what_is_shallow_stays() -> None:
    tree = Par((T[0], Seq((T[1], T[2]))))
    assert flatten(tree) is tree


def test_of_two_branches_the_deeper_one_is_lifted_at_no_cost() -> None:
    tree = Par((T[0], Seq((T[1], Par((T[2], Seq((T[3], Par((T[4], T[5]))))))))))
    made = flatten(tree)
    assert depth(made) == 1
    assert made == Par((T[0], Seq((T[1], T[2])), Seq((Await((3,)), T[5])), Seq((Await((1,)), T[3], T[4]))))
    before, after = counts(tree), counts(made)
    assert before.parallels + before.awaits == after.parallels + after.awaits


def test_of_more_branches_all_are_lifted() -> None:
    made = flatten(Par((T[0], Seq((T[1], Par((T[2], T[3], T[4])), T[5])))))
    assert made == Par(
        (T[0], Seq((T[1], Await((2, 3, 4)), T[5])), Seq((Await((1,)), Par((T[2], T[3], T[4])))))
    )


def test_a_lifted_part_takes_its_await_along() -> None:
    made = flatten(Par((T[0], Seq((T[1], Await((0,)), Par((T[2], T[3], T[4])))))))
    assert made == Par((T[0], T[1], Seq((Await((0, 1)), Par((T[2], T[3], T[4]))))))


def test_who_follows_a_lifted_part_awaits_it() -> None:
    inner: Step = Seq((T[1], Par((T[2], T[3])), T[4]))
    made = flatten(Par((T[0], inner)))
    assert made == Par((T[0], Seq((T[1], T[2], Await((3,)), T[4])), Seq((Await((1,)), T[3]))))
    assert counts(made).parallels == 1


@drawn_examples(150)
@given(drawn(most=40))
def test_a_lifted_tree_runs_as_before(needs: Needs) -> None:
    tree = arrange(needs)
    assert depth(tree) <= 2
    ran = SimulatedMachine([task * 7 % 11 + 1 for task in range(len(needs))]).run(tree)
    for task, found in enumerate(needs):
        assert ran.started[task] == max((ran.ended[need] for need in found), default=0)
