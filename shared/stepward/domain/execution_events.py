"""Parse the events by which Step Functions reports that an execution has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from stepward.domain.chunks import Chunk
from stepward.domain.runs import RunKey, epoch_of

STOPPED: Final = "ExecutionStopped"
"""The error of an execution that was stopped, or is gone, and has no other."""
_MOST_DETAIL: Final = 1_000


@dataclass(frozen=True)
class ExecutionEnd:
    """An execution that ended without success: whose it was, and why."""

    key: RunKey
    error: str
    detail: str
    epoch: int
    """The number of its run's execution, counted from 1."""

    of_workflow: bool
    """Whether it was a workflow's run, and not an agent's."""

    chunk: Chunk | None = None
    """The chunk that it executed, if it was one of a large foreach."""

    @classmethod
    def of(cls, event: dict[str, Any]) -> Self:
        """Parse a status-change event.

        Args:
            event: As EventBridge delivers it, of an execution that failed, timed out or was stopped.
        """
        change = event["detail"]
        given, cause = json.loads(change["input"]), change.get("cause") or "no cause given"
        chunk = given.get("chunk")
        return cls(
            key=RunKey(tenant=given["tenant"], run=given["run"]),
            error=change.get("error") or {"TIMED_OUT": "States.Timeout"}.get(change["status"], STOPPED),
            detail=f"the execution ended as {change['status']}: {cause}"[:_MOST_DETAIL],
            epoch=epoch_of(change["name"]),
            of_workflow="workflow" in given,
            chunk=Chunk.model_validate(chunk) if chunk else None,
        )
