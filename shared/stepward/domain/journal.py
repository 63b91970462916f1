"""The journal's records: an append-only, gap-free log that is the truth about a run.

created → claimed → turn → results → turn → … → turn(end) | ended, with wait and cancel anywhere between.
Every record has the version `v`, so that later code can load the journals of earlier releases.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from stepward.domain.conversation import ModelReply, ToolResult
from stepward.domain.runs import RunError, RunStatus

JOURNAL_VERSION: Literal[1] = 1


class Record(BaseModel):
    """What every record says: its place, its time, who wrote it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Literal[1] = JOURNAL_VERSION
    at: str
    writer: str


class Intent(BaseModel):
    """The reservation for the next model call; booked as spent if the call is lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turn: int
    reserve_usd_micros: int


class End(BaseModel):
    """How a run ended; a turn that carries it has the output as its text.

    `unspent` says that the provider declined the last call, so that its reservation was not spent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: RunStatus
    error: RunError | None = None
    unspent: bool = False


class Created(Record):
    """The run's start: which agent, for whom, on what."""

    kind: Literal["created"] = "created"
    agent: str
    version: str
    principal: str
    input: Any
    deadline_at: str
    rehearsed: bool


class Claimed(Record):
    """An invocation takes the run over; whoever wrote before it has lost it."""

    kind: Literal["claimed"] = "claimed"
    intent: Intent | None = None


class Turn(Record):
    """One model reply and what it cost. `late` marks one that came after the run was taken over or ended."""

    kind: Literal["turn"] = "turn"
    turn: int
    reply: ModelReply
    cost_usd_micros: int
    end: End | None = None
    late: bool = False


class CallOutcome(BaseModel):
    """One call's result in a `results` record: the result itself, or a reference to the call's own item."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    call: str
    result: ToolResult | None = None


class Results(Record):
    """All results of a turn's calls, with the reservation for the next model call."""

    kind: Literal["results"] = "results"
    turn: int
    outcomes: tuple[CallOutcome, ...]
    intent: Intent | None = None


class Waiting(Record):
    """The run waits for a provider; the call that was declined cost nothing."""

    kind: Literal["wait"] = "wait"
    until: str
    reason: str


class Cancel(Record):
    """Somebody asked for the run's end; no call that is made once begins after it."""

    kind: Literal["cancel"] = "cancel"
    by: str


class Ended(Record):
    """The run's end, when no turn carries it."""

    kind: Literal["ended"] = "ended"
    end: End


AnyRecord = Annotated[
    Created | Claimed | Turn | Results | Waiting | Cancel | Ended, Field(discriminator="kind")
]
_RECORDS: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)


def parse_record(body: str | bytes) -> AnyRecord:
    """Read a record from its stored JSON."""
    return _RECORDS.validate_json(body)


class CallItem(BaseModel):
    """What is stored of one remote call beside the sequence: its mark, then its result."""

    model_config = ConfigDict(frozen=True)

    call: str
    started_by: str | None = None
    result: ToolResult | None = None


class Sequenced(BaseModel):
    """A record with its place in the sequence, counted from 1."""

    model_config = ConfigDict(frozen=True)

    seq: int
    record: AnyRecord


class JournalSlice(BaseModel):
    """What one read of the journal gives: records in order, and the call items by call id."""

    model_config = ConfigDict(frozen=True)

    records: tuple[Sequenced, ...] = ()
    calls: dict[str, CallItem] = Field(default_factory=dict)
