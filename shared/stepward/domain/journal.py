"""The journal's records: an append-only, gap-free log that is the truth about a run.

created → [admitted] → claimed → turn → results → turn → … → turn(end) | ended, with wait, topped_up, pause, resume,
condensed, continued and cancel anywhere between. A run that waits for an answer is parked, and goes on when it is admitted again,
perhaps after it was queued. `inherited` follows `created` in a run that goes on from another one's turn.
Every record has the version `v`, so that later code can load the journals of earlier releases.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from stepward.domain.attachments import Attachments
from stepward.domain.conversation import Condensation, Exchange, Frozen, ModelReply, ToolResult
from stepward.domain.money import Usage
from stepward.domain.prompts import KeptPrompt
from stepward.domain.run_origins import Fork, Parent
from stepward.domain.run_queue import Allowance, Priority, Slot
from stepward.domain.runs import RunError, RunStatus

JOURNAL_VERSION: Literal[1] = 1


class Record(Frozen):
    """What every record has: its sequence number, its time, and its writer."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    v: Literal[1] = JOURNAL_VERSION
    at: str
    writer: str


class Intent(Frozen):
    """The reservation for the next model call; booked as spent if the call is lost.

    `summarises` marks a call that is no turn: it sums up what the model of turn `turn` is not to be shown.
    """

    turn: int
    reserve_usd_micros: int
    summarises: bool = Field(default=False, exclude_if=lambda summarises: not summarises)


class End(Frozen):
    """How a run ended; a turn that carries it has the output as its text.

    `unspent` says that the provider declined the last call, so that its reservation was not spent.
    """

    status: RunStatus
    error: RunError | None = None
    unspent: bool = False


class Created(Record):
    """The run's start: which agent, for whom, on what.

    It has a slot at once, or a position in the run queue; journals of 0.1.0 have neither.
    `cost_limit_usd_micros` narrows the agent's limit. `charged` says whether it draws on budgets; a rehearsed
    run does so only on request.
    """

    kind: Literal["created"] = "created"
    agent: str
    version: str
    principal: str
    input: Any
    deadline_at: str
    rehearsed: bool
    charged: bool = Field(default=True, exclude_if=lambda charged: charged is True)
    priority: Priority = "normal"
    slot: Slot | None = None
    position: str | None = Field(default=None, alias="place")
    allowance: Allowance | None = None
    cost_limit_usd_micros: int | None = None
    parent: Parent | None = None
    fork: Fork | None = None
    attachments: Attachments = ()
    prompt: KeptPrompt = None


class Inherited(Record):
    """What a fork inherits from its source run: the turns up to its own, paid for there."""

    kind: Literal["inherited"] = "inherited"
    history: tuple[Exchange, ...]
    agent: str
    version: str
    turns_by_agent: dict[str, int] = Field(default_factory=dict)
    """The agents that took these turns; empty in older journals, whose turns count as those of `agent`."""
    condensation: Condensation | None = Field(default=None, exclude_if=lambda value: value is None)
    prompt: KeptPrompt = None


class Admitted(Record):
    """The run has a slot: from now on it is active."""

    kind: Literal["admitted"] = "admitted"
    slot: Slot
    allowance: Allowance | None = None


class Queued(Record):
    """The run has its answers, and is queued for a slot to continue with."""

    kind: Literal["queued"] = "queued"
    position: str = Field(alias="place")


class Parked(Record):
    """The run waits for `calls`, or to be resumed; slot and unused money are given back."""

    kind: Literal["parked"] = "parked"
    calls: tuple[str, ...]
    reason: Literal["answers", "pause"]


class ToppedUp(Record):
    """The allowance was too small for the next call, so the run has drawn once more."""

    kind: Literal["topped_up"] = "topped_up"
    allowance: Allowance


class Pause(Record):
    """A request to pause the run after its current step."""

    kind: Literal["pause"] = "pause"
    by: str


class Resume(Record):
    """A request to resume a paused run; one that was queued has its position again."""

    kind: Literal["resume"] = "resume"
    by: str
    position: str | None = Field(default=None, alias="place")


class Claimed(Record):
    """An invocation takes the run over; an earlier writer may not continue it."""

    kind: Literal["claimed"] = "claimed"
    intent: Intent | None = None


class Continued(Record):
    """The run continues in a new execution, named by `epoch`; the one before it is obsolete."""

    kind: Literal["continued"] = "continued"
    epoch: int


class Turn(Record):
    """One model reply and what it cost.

    `late` marks a reply that is only booked. `agent` and `model` say what was asked; journals of 0.1.0 know
    only the run's own agent. `note` is a message to the model, where its reply is neither the end nor asks
    for calls. `cache_missed` says that the response cache had no reply for the call.
    """

    kind: Literal["turn"] = "turn"
    turn: int
    reply: ModelReply
    cost_usd_micros: int
    end: End | None = None
    late: bool = False
    agent: str | None = None
    model: str | None = None
    note: str | None = Field(default=None, exclude_if=lambda note: note is None)
    cache_missed: bool = Field(default=False, exclude_if=lambda missed: not missed)


class CallOutcome(Frozen):
    """One call's result in a `results` record, or a reference to the call's own item."""

    call: str
    result: ToolResult | None = None


class HandedOver(Frozen):
    """The agent's version that carries the run on."""

    agent: str
    version: str
    prompt: KeptPrompt = None


class Results(Record):
    """All results of a turn's calls, with the next model call's reservation and any hand-over."""

    kind: Literal["results"] = "results"
    turn: int
    outcomes: tuple[CallOutcome, ...]
    intent: Intent | None = None
    handed_over: HandedOver | None = None


class Condensed(Record):
    """From turn `turn` on, the model is shown a shortened conversation.

    `model` has written the replacing text at this price; without one it was made by rule, and `error` says
    why a model that should have written it did not.
    """

    kind: Literal["condensed"] = "condensed"
    turn: int
    condensation: Condensation
    agent: str
    model: str | None = None
    usage: Usage = Usage()
    cost_usd_micros: int = 0
    error: RunError | None = None


class Waiting(Record):
    """The run waits for a provider; the declined call cost nothing.

    `is_retry` is False where the platform itself held the call back, `detail` is the error's; `unanswered`
    are the models that failed where not all were asked.
    """

    kind: Literal["wait"] = "wait"
    until: str
    reason: str
    detail: str | None = Field(default=None, max_length=300, exclude_if=lambda detail: detail is None)
    is_retry: bool = Field(default=True, exclude_if=lambda is_retry: is_retry)
    unanswered: tuple[str, ...] = Field(default=(), exclude_if=lambda models: not models)


class Cancel(Record):
    """A request to end the run; no call of effect `once` begins after it."""

    kind: Literal["cancel"] = "cancel"
    by: str


class Ended(Record):
    """The run's end, when no turn carries it."""

    kind: Literal["ended"] = "ended"
    end: End


AnyRecord = Annotated[
    Created
    | Inherited
    | Admitted
    | Queued
    | Parked
    | ToppedUp
    | Pause
    | Resume
    | Claimed
    | Continued
    | Turn
    | Results
    | Condensed
    | Waiting
    | Cancel
    | Ended,
    Field(discriminator="kind"),
]
_RECORDS: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord, config=ConfigDict(defer_build=True))


def parse_record(body: str | bytes) -> AnyRecord:
    """Read a record from its stored JSON."""
    return _RECORDS.validate_json(body)


class CallItem(BaseModel):
    """What is stored of one remote call beside the sequence: its mark, then its result."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    call: str
    started_by: str | None = None
    result: ToolResult | None = None


class Sequenced(BaseModel):
    """A record with its place in the sequence, counted from 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    seq: int
    record: AnyRecord


class JournalSlice(BaseModel):
    """What one read of the journal gives: records in order, and the call items by call id."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    records: tuple[Sequenced, ...] = ()
    calls: dict[str, CallItem] = Field(default_factory=dict)
