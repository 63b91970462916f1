"""Chooses what another run takes over from one that failed: what would bring the same again, and nothing that came of a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from stepward.domain.programs import Program
from stepward.domain.task_records import TaskKey, TaskRecord
from stepward.ports.task_store import Looked
from stepward.workflow.running.rounds import at_depth, depth_of, number_of

Round: TypeAlias = tuple[str, str, int]
"""A round of a loop or a step of a state machine: the path of the body, where it is, the number."""
Node: TypeAlias = TaskKey | Round
_UNDONE = "~undone"


def kept(program: Program, looked: Looked) -> dict[TaskKey, TaskRecord]:
    """Choose the records that stay: of tasks that completed, and depend on none that is to run once more.

    What failed runs again, and what was undone, what only stood in, and all that comes after one of these: a judge
    that had two findings of three is asked again when there are three.
    """
    records = {task: record for task, record in looked.records.items() if "~" not in task.path}
    again = _with_what_follows(_to_run_again(looked, records), _followers(program, records))
    return {task: record for task, record in records.items() if record.is_well and task not in again}


def _to_run_again(looked: Looked, records: dict[TaskKey, TaskRecord]) -> set[Node]:
    undone = {task.path.removesuffix(_UNDONE) for task in looked.records if task.path.endswith(_UNDONE)}
    return {
        task
        for task, record in records.items()
        if record.error is not None or record.fell_back or task.path in undone
    }


def _with_what_follows(first: set[Node], followers: dict[Node, list[Node]]) -> set[Node]:
    found, ahead = set(first), list(first)
    while ahead:
        for follower in followers.get(ahead.pop(), ()):
            if follower not in found:
                found.add(follower)
                ahead.append(follower)
    return found


def _followers(program: Program, records: dict[TaskKey, TaskRecord]) -> dict[Node, list[Node]]:
    """Turn needs around: who runs again because another does."""
    found: dict[Node, list[Node]] = {}
    for task in records:
        for cause in _causes(program, task):
            found.setdefault(cause, []).append(task)
        for body in _bodies(program, task):
            # A body that lost one of its tasks brings something else.
            found.setdefault(task, []).append(body)
        for path, at, number in _rounds(program, task):
            own: Round = (path, at, number)
            found.setdefault((path, at, number - 1), []).extend((task, own))
            found.setdefault(task, []).append(own)
    return found


def _causes(program: Program, task: TaskKey) -> Iterator[TaskKey]:
    """Name what a task needs, and what the bodies around it need."""
    for one in (task, *_bodies(program, task)):
        for need in program.tasks[one.path].needs:
            yield TaskKey(path=need, at=at_depth(one.at, program.tasks[need].depth))


def _bodies(program: Program, task: TaskKey) -> Iterator[TaskKey]:
    path = task.path
    while path := path.rpartition(".")[0]:
        if (body := program.tasks.get(path)) is not None:
            yield TaskKey(path=path, at=at_depth(task.at, body.depth))


def _rounds(program: Program, task: TaskKey) -> Iterator[Round]:
    """Name the rounds that come one after another in which a task ran: those of loops, and a state machine's steps."""
    if program.definition.is_state_machine:
        yield "", "", number_of(at_depth(task.at, 1))
    for body in _bodies(program, task):
        if program.tasks[body.path].task.type == "loop":
            yield body.path, body.at, number_of(at_depth(task.at, depth_of(body.at) + 1))
