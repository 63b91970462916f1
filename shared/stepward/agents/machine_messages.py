"""The messages between the state machine and `agent_advance`: ids only, to stay small."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.journal import End
from stepward.domain.runs import RunMessage, RunStatus, epoch_of


class FailedCall(BaseModel):
    """A call whose function gave no result, as the machine saw it."""

    model_config = ConfigDict(defer_build=True)

    call: str
    error: str


class AdvanceRequest(RunMessage):
    """What the machine sends: ids and what it has just done, never content.

    `called` is the place of the turn whose calls the machine has just made, `asked` which of them: only their missing
    results are final. `awaited` names the wait that is over by the place of its `parked`. `error` asks for the run's
    end because advancing it failed too often. `execution` is who asks, `spent` the events that its history has by then;
    machines of earlier releases say neither, and each of them is its run's first.
    """

    called: int | None = None
    asked: list[str] | None = None
    awaited: int | None = None
    failed: list[FailedCall] = Field(default_factory=list)
    error: str | None = None
    execution: str | None = None
    spent: int | None = None

    @property
    def epoch(self) -> int:
        """Which of the run's executions sends the request."""
        return epoch_of(self.execution) if self.execution else 1

    @property
    def failures(self) -> dict[str, str]:
        """The errors that the machine saw, by call."""
        return {one.call: one.error for one in self.failed}


Next = Literal["done", "calls", "waits", "wait", "again"]


class Wait(BaseModel):
    """One answer that the machine is to wait for, and for how long."""

    model_config = ConfigDict(defer_build=True)

    call: str
    seconds: int


class AdvanceAnswer(BaseModel):
    """What the machine is to do next; ids only, under 2 KB.

    `seq` is the place of the turn whose calls are open, or with waits of the `parked`; `newest` is the journal's last place
    when calls were asked for; `spent` is what the machine has said, for it to count on from. `done` ends the execution:
    the run is over, or goes on in a newer one.
    """

    model_config = ConfigDict(defer_build=True)

    v: Literal[1] = 1
    tenant: str
    run: str
    next: Next
    seq: int
    agent: str | None = None
    version: str | None = None
    newest: int | None = None
    calls: list[str] | None = None
    waits: list[Wait] | None = None
    seconds: int | None = None
    spent: int | None = None
    error: str | None = None
    """Of a run that has failed: the error's code, with which its execution fails too."""

    @classmethod
    def done(cls, request: AdvanceRequest, seq: int, end: End | None) -> Self:
        """Answer that nothing is left to do.

        Args:
            request: What was asked for.
            seq: The journal's last place.
            end: How the run ended; None where it goes on in a newer execution.

        Returns:
            The answer.
        """
        return cls(tenant=request.tenant, run=request.run, next="done", seq=seq, error=failed_with(end))


def failed_with(end: End | None) -> str | None:
    """Name the error of a run that ended as failed.

    Args:
        end: How the run ended; None while it has not.

    Returns:
        The error's code; None of every other end.
    """
    return end.error.code if end and end.error and end.status is RunStatus.FAILED else None


class CallRequest(RunMessage):
    """What the machine sends for one call.

    `seq` is the place of the turn that asks for it; a journal that is longer than `newest` has gone on without it.
    """

    agent: str
    version: str
    seq: int
    newest: int
    call: str


class WaitRequest(RunMessage):
    """What the machine sends for one wait; `token` ends it."""

    agent: str
    version: str
    call: str
    token: str
    entered: str = ""
    tried: int = 0

    @property
    def made(self) -> str:
        """When the machine made the token, which orders the tokens of one wait.

        Empty from machines that do not say.
        """
        return f"{self.entered}#{self.tried:03d}" if self.entered else ""
