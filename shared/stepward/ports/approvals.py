"""Approvals as they are kept: what is open, what became of the rest, and what is due."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.approvals import Approval
from stepward.domain.conversation import ToolResult
from stepward.domain.runs import RunKey


class ApprovalPage(BaseModel):
    """One page of approvals, newest first, without details and forms."""

    model_config = ConfigDict(defer_build=True)

    approvals: list[Approval]
    cursor: str | None = None


class Approvals(Protocol):
    """The approvals of all tenants; single reads and those of a run are strongly consistent."""

    def open(self, approval: Approval) -> Approval | None:
        """Keep a new approval, or find it as it was kept before; None when the run has ended."""

    def approval(self, tenant: str, approval: str) -> Approval | None:
        """Read one."""

    def of_run(self, key: RunKey) -> list[Approval]:
        """Read those of a run."""

    def list_approvals(self, tenant: str, *, is_open: bool, limit: int, cursor: str | None) -> ApprovalPage:
        """List those that are open, or the others."""

    def change(self, before: Approval, after: Approval) -> bool:
        """Keep what was told, or an end; False if somebody has changed it meanwhile."""

    def decide(self, before: Approval, after: Approval, result: ToolResult) -> bool:
        """Keep a decision together with the result that the run waits for.

        False if somebody has changed the approval, if the run has a result already, or if it has ended.
        """

    def woken(self, approval: Approval) -> None:
        """The run knows of its decision: nothing is left to do."""

    def due(self, before: str, limit: int) -> list[Approval]:
        """List approvals that need attention, for the janitor; may lag by moments."""
