"""Makes the record of a task's end, and says what its state machine does then."""

from __future__ import annotations

from typing import Any

from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskRecord, TaskStatus


def completed(output: Any, *, attempt: int, started_at: str, ended_at: str, **more: Any) -> TaskRecord:
    """Make the record of a task that brought what it should."""
    return TaskRecord(
        status=TaskStatus.COMPLETED,
        output=output,
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        **more,
    )


def skipped(why: str, at: str) -> TaskRecord:
    """Make the record of a task that did not run."""
    return TaskRecord(status=TaskStatus.SKIPPED, why=why[:300], started_at=at, ended_at=at)


def failed(error: RunError, *, attempt: int, started_at: str, ended_at: str, **more: Any) -> TaskRecord:
    """Make the record of a task that failed for good."""
    return TaskRecord(
        status=TaskStatus.FAILED,
        error=error,
        attempt=attempt,
        started_at=started_at,
        ended_at=ended_at,
        **more,
    )
