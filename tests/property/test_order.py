"""The tree of any graph runs every task as soon as its own needs are done, and costs no more states than it may."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.workflows.compiler.latches import latch_groups
from stepward.workflows.compiler.series_parallel.arrange import TRIED_UP_TO, arrange, by_scopes
from stepward.workflows.compiler.series_parallel.module_graph import modules_of, reduce_graph
from stepward.workflows.compiler.series_parallel.simplify import depth, simplify
from stepward.workflows.compiler.series_parallel.tree import Seq, Step, awaits_of, climb, counts, tasks_of
from stepward.workflows.program.graphs import (
    ancestors,
    barrier_makespan,
    critical_path,
    levels,
    mask_of,
    transitive_reduction,
    width,
)
from tests.support.cheapest_tree import cheapest
from tests.support.draws import drawn as drawn_examples
from tests.support.simulated_machine import SimulatedMachine
from tests.support.task_graphs import Needs, drawn, scattered

many = drawn_examples(200)
some = drawn_examples(100)


def _bound(needs: Needs) -> int:
    """1 + J + F: joins after reduction, and tasks that alone stand before two others."""
    direct = transitive_reduction(needs, ancestors(needs))
    single = [found[0] for found in direct if len(found) == 1]
    return 1 + sum(len(found) > 1 for found in direct) + sum(single.count(task) > 1 for task in set(single))


def _runs_as_it_should(needs: Needs, tree: Step, durations: Sequence[int]) -> None:
    ran = SimulatedMachine(durations).run(tree)
    assert sorted(ran.ended) == list(range(len(needs)))
    for task, found in enumerate(needs):
        assert ran.started[task] == max((ran.ended[need] for need in found), default=0)
    assert ran.finished_at == critical_path(needs, durations).length
    count = counts(tree)
    assert count.tasks == len(needs)
    assert ran.entered == len(needs) + 1 + count.parallels + count.awaits
    assert count.parallels + count.awaits <= _bound(needs)


def _orders_only_by_need(needs: Needs, tree: Step) -> None:
    past = ancestors(needs)

    def visit(step: Step, inner: list[int]) -> int:
        if isinstance(step, Seq):
            before = 0
            for part, tasks in zip(step.steps, inner, strict=True):
                assert all(before & ~past[task] == 0 for task in tasks_of(part))
                before |= tasks
        return sum(inner) if inner else mask_of(tasks_of(step))

    assert climb(tree, visit) == 2 ** len(needs) - 1


@many
@given(drawn(), st.data())
def test_no_task_waits_for_what_it_does_not_need(needs: Needs, data: st.DataObject) -> None:
    durations = data.draw(st.lists(st.integers(1, 10**6), min_size=len(needs), max_size=len(needs)))
    tree = arrange(needs)
    _runs_as_it_should(needs, tree, durations)
    _orders_only_by_need(needs, tree)


@some
@given(drawn(), st.randoms(use_true_random=False))
def test_the_way_for_large_graphs_holds_for_small_ones(needs: Needs, chance: random.Random) -> None:
    past = ancestors(needs)
    graph = modules_of(needs, past)
    reduce_graph(graph, graph.at)
    tree = simplify(by_scopes(graph), past)
    _runs_as_it_should(needs, tree, [chance.randint(1, 100) for _ in needs])
    _orders_only_by_need(needs, tree)


@pytest.mark.parametrize("seed", range(12))
def test_large_graphs_run_as_small_ones_do(seed: int) -> None:
    chance = random.Random(seed)
    needs = scattered(seed, chance.randint(250, 400), chance.randint(3, 5), chance.randint(8, 200))
    graph = modules_of(needs, ancestors(needs))
    reduce_graph(graph, graph.at)
    assert len(graph.at) > TRIED_UP_TO, "small enough for every attempt"
    tree = arrange(needs)
    _runs_as_it_should(needs, tree, [chance.randint(1, 10**6) for _ in needs])
    _orders_only_by_need(needs, tree)
    assert depth(tree) <= 24


@some
@given(drawn(), st.randoms(use_true_random=False))
def test_a_graph_has_one_tree(needs: Needs, chance: random.Random) -> None:
    said_otherwise = [chance.sample(found * 2, len(found) * 2) for found in needs]
    assert arrange(said_otherwise) == arrange(needs)


@some
@given(drawn(most=6))
def test_no_tree_of_a_small_graph_is_cheaper(needs: Needs) -> None:
    count = counts(arrange(needs))
    assert count.parallels + count.awaits == cheapest(needs)


@pytest.mark.parametrize(
    ("count", "most_needs", "reach", "seeds", "at_most"), [(25, 3, 10, 40, 407), (60, 3, 12, 40, 1_057), (300, 4, 60, 8, 1_384)]
)  # fmt: skip
def test_trees_get_no_dearer(count: int, most_needs: int, reach: int, seeds: int, at_most: int) -> None:
    """What these cost when the best way was found; a change may lower the number, not raise it."""
    costs = [counts(arrange(scattered(seed, count, most_needs, reach))) for seed in range(seeds)]
    assert sum(cost.parallels + cost.awaits for cost in costs) <= at_most


@some
@given(drawn())
def test_tasks_that_are_awaited_together_share_a_latch(needs: Needs) -> None:
    tree = arrange(needs)
    home = latch_groups(tree, len(needs))
    awaited = {need for each in awaits_of(tree) for need in each.needs}
    assert {task for task, latch in enumerate(home) if latch is not None} == awaited
    for each in awaits_of(tree):
        assert len({home[need] for need in each.needs}) == 1
    first_seen = list(dict.fromkeys(latch for latch in home if latch is not None))
    assert first_seen == [str(number) for number in range(len(first_seen))]


@some
@given(drawn(most=10), st.data())
def test_levels_width_and_paths_agree(needs: Needs, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 50), min_size=len(needs), max_size=len(needs)))
    longest, grouped, past = critical_path(needs, weights), levels(needs), ancestors(needs)
    assert longest.length == sum(weights[task] for task in longest.path) <= barrier_makespan(needs, weights)
    assert all(a in needs[b] for a, b in pairwise(longest.path))
    assert critical_path(needs, [1] * len(needs)).length == len(grouped)
    assert max(len(level) for level in grouped) <= (width(needs) or 0) == _most_at_once(past)


def _most_at_once(past: list[int]) -> int:
    """Try every set of tasks."""
    fits = [mask for mask in range(1, 2 ** len(past)) if _unordered(mask, past)]
    return max(mask.bit_count() for mask in fits)


def _unordered(mask: int, past: list[int]) -> bool:
    return all(not past[task] & mask for task in range(len(past)) if mask >> task & 1)
