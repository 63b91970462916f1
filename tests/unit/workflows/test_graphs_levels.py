"""What a graph allows before anything is compiled."""

from __future__ import annotations

import pytest

from stepward.workflows.program.graphs import (
    WIDTH_UP_TO,
    CriticalPath,
    Cycle,
    barrier_makespan,
    critical_path,
    levels,
    width,
)
from tests.support.task_graphs import kept

CROSSING = [[], [], [0], [0, 1]]


def test_levels_are_those_of_kahn() -> None:
    assert levels([[], [0], [0], [1], [2, 3]]) == [[0], [1, 2], [3], [4]]
    assert levels([]) == []


def test_the_critical_path_is_the_heaviest() -> None:
    assert critical_path(CROSSING, [5, 1, 9, 2]) == CriticalPath((0, 2), 14)
    assert critical_path([], []) == CriticalPath((), 0)


def test_of_equal_paths_the_first_is_named() -> None:
    assert critical_path([[], [0], [0], [1, 2]], [1, 1, 1, 1]).path == (0, 1, 3)


def test_barriers_cost_time() -> None:
    weights = [5, 1, 1, 9]
    assert barrier_makespan(CROSSING, weights) == 14
    weights = [1, 5, 9, 1]
    assert (critical_path(CROSSING, weights).length, barrier_makespan(CROSSING, weights)) == (10, 14)


@pytest.mark.parametrize(
    ("name", "most"), [("chain_10", 1), ("fan_20", 20), ("diamond", 2), ("montage_25", 8)]
)
def test_the_width_is_how_many_can_run_at_once(name: str, most: int) -> None:
    assert width(kept(name)) == most


def test_the_width_of_a_large_graph_is_not_counted() -> None:
    assert width([[]] * WIDTH_UP_TO) == WIDTH_UP_TO
    assert width([[]] * (WIDTH_UP_TO + 1)) is None


def test_a_cycle_has_no_levels() -> None:
    with pytest.raises(Cycle):
        levels([[1], [0]])
