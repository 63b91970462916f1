"""Read the events by which Step Functions says that an execution has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from stepward.domain.chunks import Chunk
from stepward.domain.runs import RunKey, epoch_of

STOPPED: Final = "ExecutionStopped"
"""The error of an execution that was stopped, or that is gone, and says no other."""
_MOST_DETAIL: Final = 1_000


@dataclass(frozen=True)
class ExecutionEnd:
    """An execution that has ended without a success: whose it was, and why."""

    key: RunKey
    error: str
    detail: str
    epoch: int
    """Which of its run's executions it was, counted from one."""

    of_workflow: bool
    """Whether it was a workflow's run, and not an agent's."""

    chunk: Chunk | None = None
    """Of an execution that ran some items of a large foreach: which."""

    @classmethod
    def of(cls, event: dict[str, Any]) -> Self:
        """Read a status-change event.

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
