"""A document that allows so many tasks at once gets a machine that cannot run more."""

from __future__ import annotations

import pytest

from stepward.workflows.program.graphs import levels, limit_width, width
from tests.support.task_graphs import kept

FAN = [[], *([0] for _ in range(8)), list(range(1, 9))]


@pytest.mark.parametrize("most", [1, 2, 3, 7])
@pytest.mark.parametrize("name", ["fan_20", "montage_25", "layers_5x5", "crossing_4"])
def test_no_more_than_so_many_can_run_at_once(name: str, most: int) -> None:
    needs = [list(needed) for needed in kept(name)]
    laid = limit_width(needs, most)
    found = width(laid)
    assert found is not None and found <= most
    assert all(set(before) <= set(after) for before, after in zip(needs, laid, strict=True))


def test_a_graph_that_is_narrow_enough_stays_as_it_is() -> None:
    assert limit_width(FAN, 8) == FAN
    assert limit_width(FAN, None) == FAN


def test_lanes_are_filled_evenly() -> None:
    assert len(levels(limit_width(FAN, 4))) == 1 + 2 + 1
