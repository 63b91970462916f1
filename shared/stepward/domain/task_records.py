"""The records of a workflow's tasks, each written once, and the run's own head."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.run_queue import RunBudget
from stepward.domain.runs import CommonHead, RunError

RECORD_VERSION: Final = 1


class TaskStatus(StrEnum):
    """How a task ended."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class WorkflowStatus(StrEnum):
    """A workflow run's status: PENDING → RUNNING ⇄ WAITING → one of the others, for good."""

    PENDING = "PENDING"
    """In the run queue."""
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    """For something outside, without a slot."""
    COMPLETED = "COMPLETED"
    PARTIALLY_COMPLETED = "PARTIALLY_COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class TaskKey(BaseModel):
    """Names one execution of a task: `path` is the task's, `at` the round of its bodies.

    `each.draft` at `each[3]` is the task `draft` of the fourth item; outside of bodies `at` is empty.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    at: str = ""

    def __str__(self) -> str:
        """Format the key as lists and logs show it."""
        return f"{self.path}@{self.at}" if self.at else self.path

    @property
    def is_task(self) -> bool:
        """Whether it is a task of the document, and no compensation or range of items."""
        return "~" not in self.path

    @property
    def is_chunk(self) -> bool:
        """Whether it is a range of a large foreach's items."""
        return self.path.endswith("~chunk")

    @property
    def is_undone(self) -> bool:
        """Whether it is a task's compensation."""
        return self.path.endswith("~undone")


class TaskRecord(BaseModel):
    """The outcome of one execution of a task; the first that is written stays.

    An output over the limit is in S3; then `output` is None and `output_bytes` says how large it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    v: Literal[1] = RECORD_VERSION
    status: TaskStatus
    output: Any = None
    output_bytes: int | None = None
    error: RunError | None = None
    error_status: int | None = None
    """The HTTP status of the far end's answer, if the task failed by it."""
    error_retryable: bool = False
    """Whether another attempt might have succeeded."""
    why: str | None = None
    """Of a skipped task: the reason."""
    fell_back: bool = False
    attempt: int = 1
    started_at: str
    ended_at: str
    took_ms: int | None = None
    """How long the function that wrote this took; None where the outcome came from outside."""
    entries: int = 1
    """How often the machine tried its state until then; a function may make several attempts in one try."""
    cost_usd_micros: int = 0
    """The cost of the task's own tool, or of the runs that it started, all attempts together."""
    runs_aws_usd_micros: int = 0
    """What AWS charges for those runs."""
    child: str | None = None
    """The run that the task started, of an agent or a workflow."""
    taken_over: bool = False
    """Whether it was taken over from an earlier run, which has paid for it."""
    decided: str | None = None
    """Where a state machine goes next."""

    @property
    def is_well(self) -> bool:
        """Whether tasks that need it may run."""
        return self.status is TaskStatus.COMPLETED


class WorkflowTotals(BaseModel):
    """Counts of a run's tasks, and their cost; tool costs and AWS's charges separately."""

    model_config = ConfigDict(defer_build=True)

    tasks: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    cost_usd_micros: int = 0
    tool_usd_micros: int = 0
    runs_aws_usd_micros: int = 0


class TaskPlace(BaseModel):
    """Where an answer from outside belongs: the task, its latch, and its rule after a failure."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    workflow: str
    version: str
    path: str
    at: str = ""
    attempt: int = 1
    started_at: str
    child: str | None = None
    """The name of the run that this attempt starts, if it starts one."""
    secret: str | None = Field(default=None, exclude=True, repr=False)
    """The secret in the address that answers the attempt; it is not stored with the place."""
    before_usd_micros: int = 0
    before_aws_usd_micros: int = 0
    """What the runs of earlier attempts have cost."""

    @property
    def key(self) -> TaskKey:
        """The task's name in its run."""
        return TaskKey(path=self.path, at=self.at)


class WorkflowParent(BaseModel):
    """What waits for a workflow's run: a task of another workflow's run, or an agent's call."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    run: str
    call: str | None = None
    tool: str | None = None
    """Of a call: the name by which the agent's model calls the workflow."""
    place: TaskPlace | None = None
    ancestors: tuple[str, ...] = ()
    cost_limit_usd_micros: int | None = None
    """What a waiting agent allows the run, of its own limit."""
    budgets: tuple[RunBudget, ...] = ()
    """Of the workflows' runs above that have a limit."""


class WorkflowHead(CommonHead):
    """The run's one mutable record: what lists show; the tasks' records have the rest."""

    workflow: str
    status: WorkflowStatus
    machine: str
    """The name of the state machine that carries it."""
    parent: WorkflowParent | None = None
    rerun_of: str | None = None
    rehearsed: bool = True
    """Whether rehearsals answer for its agents. Runs from before models could be asked are rehearsed."""
    totals: WorkflowTotals = Field(default_factory=WorkflowTotals)
