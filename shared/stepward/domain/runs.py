"""A run is one execution of an agent: its statuses, totals, options and head."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stepward.domain.aws_prices import AwsCost
from stepward.domain.errors import NotFound
from stepward.domain.ids import RUN_ID_PATTERN, VersionOrLabel, check_id
from stepward.domain.run_queue import Priority


class RunStatus(StrEnum):
    """A run's status: PENDING → RUNNING ⇄ WAITING | RATE_LIMITED → COMPLETED and the others.

    RATE_LIMITED is final only for a run whose deadline would pass while it waits for its provider.
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    RATE_LIMITED = "RATE_LIMITED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    CANCELLED = "CANCELLED"


class RunKey(BaseModel):
    """Names a run within its tenant; every key of every table begins with it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    tenant: str
    run: str


class RunMessage(BaseModel):
    """A message about one run from a state machine; fields of newer versions are ignored."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    v: Literal[1]
    tenant: str
    run: str

    @property
    def key(self) -> RunKey:
        """The run's name within its tenant."""
        return RunKey(tenant=self.tenant, run=self.run)


class RunError(BaseModel):
    """Why a run failed: an error's code and its detail, cut to 1,000 characters."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: str
    detail: Annotated[str, BeforeValidator(lambda text: str(text)[:1_000])]


class Totals(BaseModel):
    """What a run has used, summed from its journal; tool costs are also in `cost_usd_micros`.

    `response_cache_hits` are the turns that the response cache answered; what it saved is in no other number.
    """

    model_config = ConfigDict(defer_build=True)

    turns: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd_micros: int = 0
    tool_usd_micros: int = 0
    response_cache_hits: int = Field(default=0, exclude_if=lambda hits: hits == 0)
    saved_tokens: int = Field(default=0, exclude_if=lambda tokens: tokens == 0)
    saved_usd_micros: int = Field(default=0, exclude_if=lambda micros: micros == 0)

    def plus(self, **amounts: int) -> Totals:
        """Add amounts."""
        return self.model_copy(update={name: getattr(self, name) + more for name, more in amounts.items()})


class Closing(BaseModel):
    """What a run's end writes into its head; `ended_seq` is the record that carries the end."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    status: RunStatus
    ended_at: str
    ended_seq: int
    error: RunError | None
    totals: Totals
    aws: AwsCost | None = None
    models: tuple[str, ...] | None = None
    """The models that answered, in the order of their first turns; None for a rehearsed run."""


class AnswerChoice(BaseModel):
    """What a start says of what answers; the stage decides what it leaves open.

    `rehearse` is whether the rehearsal answers in the model's place, `charge` whether a rehearsed run draws
    on budgets and counts among the costs as a model's run does.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    rehearse: bool | None = Field(default=None, strict=True, exclude_if=lambda said: said is None)
    charge: bool | None = Field(default=None, strict=True, exclude_if=lambda said: said is None)


class Answers(BaseModel):
    """What answers, as decided. What a model answers is always charged."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    rehearsed: bool
    charged: bool = True


class StartOptions(AnswerChoice):
    """The options of a start of either kind of run; fields that the head has are copied to it."""

    input: Any = None
    version: VersionOrLabel | None = None
    priority: Priority | None = None

    def for_head(self) -> dict[str, Any]:
        """Return the options that the head stores as they are; the version is resolved first."""
        kept = (CommonHead.model_fields.keys() & self.model_fields_set) - {"version"}
        return self.model_dump(include=kept, exclude_none=True)


class CommonHead(BaseModel):
    """What the heads of both kinds of run have; the API shows a field of it with either."""

    model_config = ConfigDict(defer_build=True)

    run: str
    tenant: str
    version: str
    principal: str
    rehearsed: bool
    charged: bool = Field(default=True, exclude_if=lambda charged: charged is True)
    """Whether it draws on budgets and counts among the costs."""
    epoch: int = 1
    priority: Priority = "normal"
    """Its priority in the run queue; runs that it starts inherit it."""
    created_at: str
    deadline_at: str
    ended_at: str | None = None
    error: RunError | None = None
    aws: AwsCost | None = None
    """What AWS charges for the run itself, without the runs within it; known at the end."""

    @property
    def key(self) -> RunKey:
        """The run's name within its tenant."""
        return RunKey(tenant=self.tenant, run=self.run)

    @property
    def answers(self) -> Answers:
        """What answers, and whether that is charged."""
        return Answers(rehearsed=self.rehearsed, charged=self.charged)

    @property
    def ended(self) -> bool:
        """Whether the run is over for good."""
        return self.ended_at is not None

    @property
    def execution_name(self) -> str:
        """The name of the execution that carries the run now."""
        return execution_name(self.run, self.epoch)


class RunHead(CommonHead):
    """The run's one mutable record: what lists and closing need; the journal has the rest."""

    agent: str
    status: RunStatus
    models: tuple[str, ...] | None = None
    """The models that answer, at first the one that it starts with; None for a rehearsed run."""
    parent: str | None = None
    paused: bool = False
    ended_seq: int | None = None
    totals: Totals = Field(default_factory=Totals)

    @property
    def answered_by(self) -> str | None:
        """What answers: `rehearsal`, or the models, joined by commas; None if none has answered."""
        return "rehearsal" if self.rehearsed else ", ".join(self.models or ()) or None


def execution_name(run: str, epoch: int) -> str:
    """Name a state machine's execution: the same start can never run twice."""
    return f"{run}.{epoch}"


def epoch_of(execution_name: str) -> int:
    """Read the epoch from an execution's name; 1 for one that was started by hand."""
    _, dot, epoch = execution_name.rpartition(".")
    return int(epoch) if dot and epoch.isdecimal() else 1


def run_view(head: RunHead) -> dict[str, Any]:
    """Show a run as the API does, without its input and output."""
    hidden = {"tenant", "epoch", "run", "ended_seq", "models"} | (set() if head.aws else {"aws"})
    # An end also ends a pause, and the head of a run that was cancelled while paused still has the field.
    shown = head.model_dump(mode="json", exclude=hidden) | {"paused": head.paused and not head.ended}
    answered = {"answered_by": head.answered_by, "charged": head.charged}
    first = {
        "id": head.run,
        "kind": "agent",
        "agent": head.agent,
        "version": head.version,
        "status": head.status,
    }
    return {**first, **shown, **answered}


Head = TypeVar("Head")


def existing_head(head: Head | None, run: str) -> Head:
    """Return a run's head, of either kind.

    Args:
        head: What was read.
        run: The run's id.

    Returns:
        The head.

    Raises:
        NotFound: There is no such run.
    """
    if head is None:
        raise NotFound(f"there is no run {run!r}.", field="run_id", fix="GET /runs lists those that exist")
    return head


def checked_key(tenant: str, run: str) -> RunKey:
    """Return the key of a run that a caller names.

    Args:
        tenant: Whose run it is.
        run: The run's id.

    Returns:
        The run's name within its tenant.

    Raises:
        InvalidRequest: The id is malformed.
    """
    return RunKey(tenant=tenant, run=check_id("run_id", run, RUN_ID_PATTERN))
