"""Who comes before whom."""

from __future__ import annotations

from itertools import pairwise

import pytest

from stepward.workflows.program.graphs import (
    Cycle,
    ancestors,
    bits,
    mask_of,
    topological_order,
    transitive_reduction,
)


def test_all_who_come_before_are_known() -> None:
    assert [bits(mask) for mask in ancestors([[], [0], [1], [0]])] == [[], [0], [0, 1], [0]]


def test_order_in_the_document_does_not_matter() -> None:
    assert [bits(mask) for mask in ancestors([[1], [2], []])] == [[1, 2], [2], []]
    assert topological_order([[1], [2], []]) == [2, 1, 0]


@pytest.mark.parametrize(
    ("needs", "path"),
    [
        ([[0]], (0, 0)),
        ([[1], [0]], (0, 1, 0)),
        ([[], [0, 3], [1], [2]], (1, 2, 3, 1)),
        ([[4], [0], [1], [2], [2]], (0, 1, 2, 4, 0)),
    ],
    ids=["itself", "each other", "behind a start", "beside a tail"],
)
def test_a_cycle_is_named_in_its_order(needs: list[list[int]], path: tuple[int, ...]) -> None:
    with pytest.raises(Cycle, match="need each other") as caught:
        ancestors(needs)
    assert caught.value.path == path
    assert all(first in needs[then] for first, then in pairwise(path))


def test_a_ring_of_ten_thousand_is_found() -> None:
    count = 10_000
    with pytest.raises(Cycle) as caught:
        ancestors([[(task + 1) % count] for task in range(count)])
    assert len(caught.value.path) == count + 1


def test_needs_that_others_imply_are_left_out() -> None:
    needs = [[], [0], [0, 1, 1], [2, 0]]
    assert transitive_reduction(needs, ancestors(needs)) == [(), (0,), (1,), (2,)]


def test_a_mask_is_its_tasks() -> None:
    assert bits(mask_of([5, 0, 3])) == [0, 3, 5]
    assert bits(0) == []
