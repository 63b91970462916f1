"""The program tree."""

from __future__ import annotations

from functools import reduce

from stepward.workflows.compiler.series_parallel.tree import (
    Await,
    Counts,
    Par,
    Seq,
    Step,
    Task,
    awaits_of,
    climb,
    counts,
    par,
    parts,
    seq,
    sinks,
    tasks_of,
)

A, B, C = Task(0), Task(1), Task(2)


def test_a_sequence_in_a_sequence_is_one() -> None:
    assert seq(seq(A, B), C) == Seq((A, B, C))
    assert seq(A) == A


def test_a_parallel_in_a_parallel_is_one() -> None:
    assert par(par(A, B), C) == Par((A, B, C))
    assert par(A) == A
    assert par(A, seq(B, C)) == Par((A, Seq((B, C))))


def test_awaits_that_meet_are_one() -> None:
    assert seq(A, Await((3, 1)), Await((2, 1)), B) == Seq((A, Await((1, 2, 3)), B))


def test_a_tree_knows_its_tasks_and_its_ends() -> None:
    tree = seq(A, par(B, seq(Await((7,)), C)))
    assert tasks_of(tree) == (0, 1, 2)
    assert sinks(tree) == (1, 2)
    assert awaits_of(tree) == (Await((7,)),)
    assert counts(tree) == Counts(tasks=3, parallels=1, awaits=1)


def test_depth_is_no_limit() -> None:
    deep: Step = reduce(lambda tree, task: Par((Seq((tree, Task(task))), B)), range(20_000), A)
    assert counts(deep).parallels == 20_000
    assert climb(deep, lambda _, inner: 1 + max(inner, default=0)) == 40_001
    assert len(parts(reduce(lambda tree, task: Seq((tree, Task(task))), range(20_000), A))) == 20_001
