"""Approvals: what a run asks a person, who may answer, and the outcome."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stepward.domain.approval_forms import Form
from stepward.domain.durations import A_YEAR_S
from stepward.domain.ids import PRINCIPAL_PATTERN
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskPlace

SHORTEST_S: Final = 60
"""No person answers sooner."""
A_WEEK_S: Final = 7 * 86_400
_GUARD: Final = ".approval"

Principal = Annotated[str, StringConstraints(pattern=PRINCIPAL_PATTERN)]
Principals = Annotated[tuple[Principal, ...], Field(max_length=50)]


class Asking(BaseModel):
    """Whom to ask, for how long, and what to fill in.

    Without `approvers` every principal of the tenant may decide. `not_requester` keeps the one who started the run from
    deciding. `escalate_to` may decide too once `escalate_after_s` have passed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    approvers: Principals = ()
    not_requester: bool = True
    timeout_s: int = Field(default=A_WEEK_S, strict=True, ge=SHORTEST_S, le=A_YEAR_S)
    form: Form = ()
    reminder_after_s: int | None = Field(default=None, strict=True, ge=60)
    escalate_after_s: int | None = Field(default=None, strict=True, ge=60)
    escalate_to: Principals = ()

    @model_validator(mode="after")
    def _can_be_done(self) -> Asking:
        names = [field.name for field in self.form]
        if len(set(names)) < len(names):
            raise ValueError("two fields of the `form` have the same name")
        if (self.escalate_after_s is None) != (not self.escalate_to):
            raise ValueError("`escalate_after_s` and `escalate_to` need each other")
        if self.escalate_to and not self.approvers:
            raise ValueError(
                "`escalate_to` needs `approvers`: without any, everybody may decide from the start"
            )
        for word in ("reminder_after_s", "escalate_after_s"):
            if (getattr(self, word) or 0) >= self.timeout_s:
                raise ValueError(f"`{word}` must be less than `timeout_s`, which is {self.timeout_s}")
        return self


class Guard(Asking):
    """An approval that a tool's calls need before they are made; the person reads `question`."""

    question: str = Field(default="", max_length=1_000)


class ApprovalStatus(StrEnum):
    """The status of an approval."""

    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


Word = Literal["approve", "deny"]
STATUS_OF: Final[dict[Word, ApprovalStatus]] = {
    "approve": ApprovalStatus.APPROVED,
    "deny": ApprovalStatus.DENIED,
}


class Decision(BaseModel):
    """What a person said, who it was and when; the model is shown all of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    decision: Word
    by: str
    at: str
    form: dict[str, Any] = Field(default_factory=dict)
    comment: str = ""


class Note(StrEnum):
    """A notification about an open approval, sent once; the value ends the event's type."""

    REQUESTED = "requested"
    REMINDED = "reminded"
    ESCALATED = "escalated"


class Approval(BaseModel):
    """One question to a person, and what became of it.

    `is_guard` says that a call waits for it, and that its answer is not the call's result. Lists leave out
    `details`, the `form` and what was filled in. `revision` counts its changes.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    tenant: str
    run: str
    call: str
    tool: str
    agent: str
    requester: str
    question: str
    details: Any = None
    asking: Asking
    is_guard: bool = False
    task: TaskPlace | None = None
    """For a workflow's run: the task that asks; `agent` is then the workflow's id."""
    created_at: str
    due_at: str
    status: ApprovalStatus = ApprovalStatus.OPEN
    requested_at: str | None = None
    reminded_at: str | None = None
    escalated_at: str | None = None
    decision: Decision | None = None
    closed_at: str | None = None
    revision: int = 0

    @property
    def key(self) -> RunKey:
        """The run that waits."""
        return RunKey(tenant=self.tenant, run=self.run)

    @property
    def wait(self) -> str:
        """The name of what the machine waits for."""
        return approval_call(self.call) if self.is_guard else self.call

    @property
    def is_open(self) -> bool:
        """Whether it has no outcome yet."""
        return self.status is ApprovalStatus.OPEN

    @property
    def deciders(self) -> tuple[str, ...]:
        """Return who may decide now; empty for everyone."""
        further = self.asking.escalate_to if self.escalated_at else ()
        return tuple(dict.fromkeys((*self.asking.approvers, *further)))

    def may_decide(self, principal: str) -> bool:
        """Return True if a principal may decide now."""
        if self.asking.not_requester and principal == self.requester:
            return False
        return not self.deciders or principal in self.deciders

    def noted(self, note: Note) -> str | None:
        """Return when a notification was sent; None if it has not been."""
        found: str | None = getattr(self, f"{note.value}_at")
        return found

    def with_note(self, note: Note, at: str) -> Approval:
        """Record that a notification was sent."""
        return self.model_copy(update={f"{note.value}_at": at})

    def due_notes(self, now: datetime) -> list[Note]:
        """List the notifications that are due by now."""
        return [note for note, at in self._untold() if datetime.fromisoformat(at) <= now]

    @property
    def next_due_at(self) -> str | None:
        """When it next needs attention: to notify, to end it, or to wake the run after a decision."""
        if self.is_open:
            return min([self.due_at, *(at for _, at in self._untold())])
        return self.closed_at if self.decision else None

    def _untold(self) -> list[tuple[Note, str]]:
        after = {
            Note.REQUESTED: 0,
            Note.REMINDED: self.asking.reminder_after_s,
            Note.ESCALATED: self.asking.escalate_after_s,
        }
        return [
            (note, later(self.created_at, seconds))
            for note, seconds in after.items()
            if seconds is not None and self.noted(note) is None
        ]

    def decided(self, decision: Decision) -> Approval:
        """Return the approval with a decision."""
        return self.model_copy(
            update={"status": STATUS_OF[decision.decision], "decision": decision, "closed_at": decision.at}
        )

    def closed(self, status: ApprovalStatus, at: str) -> Approval:
        """Return the approval ended without a decision."""
        return self.model_copy(update={"status": status, "closed_at": at})


def later(moment: str, seconds: int) -> str:
    """Add seconds to a moment, in the format that all stored times have."""
    then = datetime.fromisoformat(moment) + timedelta(seconds=seconds)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def approval_call(call: str) -> str:
    """Name the item on which a guarded call waits.

    It is an item beside the call's own, because each holds one result.
    """
    return call + _GUARD


def guarded_call(wait: str) -> str | None:
    """Name the call that is guarded by a wait; None if the wait is for the call itself."""
    return wait.removesuffix(_GUARD) if wait.endswith(_GUARD) else None
