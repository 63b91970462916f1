"""Asks where a state machine goes after a task: the first way that holds, and never more often than it may."""

from __future__ import annotations

from typing import Any

from stepward.domain.errors import MaxIterationsReached, OutputMalformed, StepwardError, TaskFailed
from stepward.domain.json_values import as_read
from stepward.domain.workflows import Transition
from stepward.workflow.expressions import resolved
from stepward.workflow.running.entry import Entry
from stepward.workflow.running.rounds import number_of
from stepward.workflow.state_names import SETTLE


def decide(entry: Entry) -> dict[str, Any]:
    """Name the next task and count the step; without a way that holds the run is at its end."""
    try:
        return _way_on(entry)
    except StepwardError as error:
        raise TaskFailed(f"{error.code}: {error.detail}"[:1_000]) from error


def _way_on(entry: Entry) -> dict[str, Any]:
    at = f"step[{number_of(entry.at) + 1}]"
    for way in entry.planned.task.next:
        if _holds(entry, way):
            _check_visits(entry, way.to)
            return {"at": at, "next": way.to}
    return {"at": at, "next": SETTLE}


def _holds(entry: Entry, way: Transition) -> bool:
    if way.when is None:
        return True
    situation = entry.situation
    answer = resolved(way.when, situation.variables(way.when, entry.planned.way_reads))
    if not isinstance(answer, bool):
        there = f"{entry.planned.path}: the way to {way.to}"
        raise OutputMalformed(f"{there} gave {as_read(answer)}, which is neither true nor false.")
    return answer


def _check_visits(entry: Entry, path: str) -> None:
    most = entry.program.tasks[path].task.max_visits
    visits = sum(task.path == path for task in entry.situation.looked.records)
    if most is not None and visits >= most:
        raise MaxIterationsReached(f"{path} may be visited {most} times.")
