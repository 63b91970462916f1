"""Which tree a graph gets, and what it costs."""

from __future__ import annotations

import sys

import pytest

from stepward.workflows.compiler.series_parallel.arrange import NoTasks, arrange
from stepward.workflows.compiler.series_parallel.simplify import DEEPEST, depth
from stepward.workflows.compiler.series_parallel.tree import Await, Counts, Par, Seq, Task, counts
from stepward.workflows.program.graphs import Cycle
from tests.support.simulated_machine import SimulatedMachine
from tests.support.task_graphs import KEPT, Needs, kept, scattered

ENTERED_AT_MOST = {
    "chain_10": 11,
    "crossing_4": 7,
    "diamond": 6,
    "fan_20": 24,
    "layers_5x5": 36,
    "montage_25": 36,
    "seed_004": 7,
}


@pytest.mark.parametrize("name", ENTERED_AT_MOST)
def test_known_graphs_enter_no_more_states(name: str) -> None:
    needs = kept(name)
    ran = SimulatedMachine([1] * len(needs)).run(arrange(needs))
    assert ran.entered <= ENTERED_AT_MOST[name]


def test_every_kept_graph_has_a_ceiling() -> None:
    assert [path.stem for path in KEPT] == sorted(ENTERED_AT_MOST)


def test_nothing_has_no_order() -> None:
    with pytest.raises(NoTasks):
        arrange([])


def test_one_task_is_a_task() -> None:
    assert arrange([[]]) == Task(0)


def test_a_cycle_is_refused() -> None:
    with pytest.raises(Cycle):
        arrange([[1], [0]])


def test_a_diamond_is_one_parallel() -> None:
    assert arrange(kept("diamond")) == Seq((Task(0), Par((Task(1), Task(2))), Task(3)))


def test_a_crossing_goes_on_where_one_of_its_needs_ends() -> None:
    tree = arrange([[], [], [0], [0, 1]])
    assert tree == Par((Seq((Task(0), Task(2))), Seq((Task(1), Await((0,)), Task(3)))))


def test_one_await_serves_all_heads_of_a_module() -> None:
    needs: Needs = [[], [], [0], [0, 1], [0, 1], [3, 4]]
    assert counts(arrange(needs)) == Counts(tasks=6, parallels=2, awaits=1)


def _comb(count: int) -> Needs:
    """Each task starts the next and one that nobody needs."""
    return [[], *([(task - 1) // 2 * 2] for task in range(1, count))]


def _nested_diamonds(levels: int) -> Needs:
    """A diamond in one branch of a diamond in one branch, and so on."""
    opening = [[level - 1] if level else [] for level in range(levels)]
    beside = [[level] for level in range(levels)]
    closing = [
        [2 * levels - 1 - place, *([2 * levels + place - 1] if place else [])] for place in range(levels)
    ]
    return [*opening, *beside, *closing]


DEEP = {
    "chain": [[], *([task] for task in range(9_999))],
    "chain backwards": [*([task + 1] for task in range(9_999)), []],
    "fan": [[], *([[0]] * 9_998), list(range(1, 9_999))],
    "comb": _comb(10_000),
    "nested diamonds": _nested_diamonds(3_000),
    "comb inwards": [[], *([] if task % 2 else [task - 2, task - 1] for task in range(1, 10_001))],
}


@pytest.mark.parametrize("name", DEEP)
def test_neither_length_nor_depth_is_a_limit(name: str) -> None:
    needs = DEEP[name]
    tree = arrange(needs)
    assert depth(tree) <= DEEPEST
    ran = SimulatedMachine([task % 7 + 1 for task in range(len(needs))]).run(tree)
    for task, found in enumerate(needs):
        assert ran.started[task] == max((ran.ended[need] for need in found), default=0)


def _calls_to_arrange(needs: Needs) -> int:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        arrange(needs)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("most_needs", [2, 9])
def test_work_grows_with_the_graph_and_not_with_its_square(most_needs: int) -> None:
    small, large = (scattered(7, count, most_needs, 40) for count in (500, 4_000))
    assert _calls_to_arrange(large) < 1.5 * 8 * _calls_to_arrange(small)
