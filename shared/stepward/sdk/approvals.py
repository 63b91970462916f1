"""Read and decide approvals: what agents and workflows ask people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

from stepward.domain.approvals import Word
from stepward.sdk.transport import Transport, path_to

Status = Literal["open", "done"]


class FormField(TypedDict):
    """One thing to fill in; what is left out is text, not required, without choices."""

    name: str
    type: NotRequired[Literal["text", "number", "boolean", "choice", "date"]]
    label: NotRequired[str]
    required: NotRequired[bool]
    choices: NotRequired[list[str]]


class Decision(TypedDict):
    """What a person said; lists leave the form out."""

    decision: Word
    by: str
    at: str
    form: NotRequired[dict[str, Any]]
    comment: str


class Approval(TypedDict):
    """One question to a person, of a run or a task; lists leave `details` and `form` out."""

    id: str
    status: Literal["open", "approved", "denied", "expired", "cancelled"]
    run: str
    call: str
    tool: str
    agent: NotRequired[str]
    workflow: NotRequired[str]
    task: NotRequired[str]
    requester: str
    question: str
    details: NotRequired[Any]
    form: NotRequired[list[FormField]]
    approvers: list[str]
    not_requester: bool
    created_at: str
    due_at: str
    requested_at: str | None
    reminded_at: str | None
    escalated_at: str | None
    closed_at: str | None
    decision: Decision | None


class ApprovalPage(TypedDict):
    """One page of approvals, newest first."""

    approvals: list[Approval]
    next_cursor: str | None


class ApprovalClient:
    """Read and decide approvals: `stepward.approvals`.

    Example:
        >>> stepward.approvals.list(status="open")["next_cursor"] is None
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(
        self, *, status: Status = "open", limit: int | None = None, cursor: str | None = None
    ) -> ApprovalPage:
        """List approvals, newest first, one page at a time.

        Args:
            status: `open` for what waits for a decision, `done` for the rest. Default: open.
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page, without details and forms.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        query = {"status": status, "limit": limit, "cursor": cursor}
        return cast("ApprovalPage", self._wire.get("/approvals", query))

    def show(self, approval_id: str) -> Approval:
        """Return one approval with its details and its form.

        Args:
            approval_id: The approval's id, as the list has it.

        Returns:
            The approval.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("Approval", self._wire.get(path_to("approvals", approval_id)))

    def approve(
        self, approval_id: str, *, form: Mapping[str, Any] | None = None, comment: str = ""
    ) -> Approval:
        """Approve, with the form filled in; the run goes on.

        Args:
            approval_id: The approval's id.
            form: Values by the names of its fields.
            comment: A note for the run and for people, at most 2,000 characters.

        Returns:
            The approval as it is now.

        Raises:
            ApiError: `NotAllowed`, `Conflict` if it is decided, or `InvalidRequest` for the form.
        """
        return self._decide(approval_id, "approve", form, comment)

    def deny(self, approval_id: str, *, form: Mapping[str, Any] | None = None, comment: str = "") -> Approval:
        """Deny; the run goes on and gets the denial as the result.

        Args:
            approval_id: The approval's id.
            form: Values by the names of its fields.
            comment: A note for the run and for people, at most 2,000 characters.

        Returns:
            The approval as it is now.

        Raises:
            ApiError: As for `approve`.
        """
        return self._decide(approval_id, "deny", form, comment)

    def _decide(
        self, approval_id: str, decision: Word, form: Mapping[str, Any] | None, comment: str
    ) -> Approval:
        body = {"decision": decision, "form": dict(form or {}), "comment": comment}
        return cast("Approval", self._wire.post(path_to("approvals", approval_id, "decision"), body))
