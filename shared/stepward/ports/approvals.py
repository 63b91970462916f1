"""Stored approvals: open ones, their outcomes, and what is due."""

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
        """Store a new approval, or find the stored one.

        Args:
            approval: The approval.

        Returns:
            The approval as stored; None if the run has ended.
        """

    def approval(self, tenant: str, approval: str) -> Approval | None:
        """Read an approval.

        Args:
            tenant: Whose approval.
            approval: The approval's id.

        Returns:
            The approval; None where there is none.
        """

    def of_run(self, key: RunKey) -> list[Approval]:
        """List a run's approvals.

        Args:
            key: The run.

        Returns:
            The approvals.
        """

    def list_approvals(self, tenant: str, *, is_open: bool, limit: int, cursor: str | None) -> ApprovalPage:
        """List a tenant's open approvals, or the others.

        Args:
            tenant: Whose approvals.
            is_open: Whether to list the open ones.
            limit: How many at most.
            cursor: The `cursor` of the page before; None for the first page.

        Returns:
            The page, newest first.
        """

    def change(self, before: Approval, after: Approval) -> bool:
        """Store a notification's record, or an end.

        Args:
            before: The approval as it was read.
            after: The approval as it is to be.

        Returns:
            False if another writer has changed it since.
        """

    def decide(self, before: Approval, after: Approval, result: ToolResult) -> bool:
        """Store a decision together with the result that the run waits for.

        Args:
            before: The approval as it was read.
            after: The approval with its decision.
            result: The result of the call.

        Returns:
            False if the approval has changed since, if the run has a result already, or if it has ended.
        """

    def mark_woken(self, approval: Approval) -> None:
        """Record that the run was woken after a decision, so that it is not due any more.

        Args:
            approval: The approval as it was read.
        """

    def due(self, before: str, limit: int) -> list[Approval]:
        """List approvals that need attention, for the janitor; the list may lag by moments.

        Args:
            before: The time by which they are due, in UTC.
            limit: How many at most.

        Returns:
            Approvals of all tenants.
        """
