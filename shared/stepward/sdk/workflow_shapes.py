"""Types of the API's JSON documents about workflows."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from stepward.sdk.shapes import AnyRun, Run, RunError

WorkflowVersionStatus = Literal["PUBLISHING", "READY", "REFUSED", "ARCHIVED"]
WorkflowRunStatus = Literal[
    "PENDING", "RUNNING", "WAITING", "COMPLETED", "PARTIALLY_COMPLETED", "FAILED", "CANCELLED"
]
Drawn = Literal["mermaid", "svg", "asl"]
"""In what a workflow can be drawn; `asl` is its state machine."""
WorkflowTaskStatus = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "SKIPPED", "CANCELLED"]
"""CANCELLED is what had not ended, or not begun, when the run did."""


class WorkflowSummary(TypedDict):
    """One row of the list of workflows: the newest version."""

    id: str
    name: str
    version: str
    description: NotRequired[str]
    tags: NotRequired[list[str]]
    tasks: NotRequired[int]
    status: NotRequired[WorkflowVersionStatus]
    created_at: str


class WorkflowPage(TypedDict):
    """Workflows by id; `next_cursor` asks for the page after it, None at the end."""

    workflows: list[WorkflowSummary]
    next_cursor: str | None


class WorkflowVersion(TypedDict):
    """One version; `detail` says why it is REFUSED, `states` is the size of its state machine."""

    id: str
    version: str
    status: WorkflowVersionStatus
    detail: NotRequired[str]
    created_at: str
    created_by: str
    machine: str
    states: int
    definition: dict[str, Any]


class WorkflowDetail(WorkflowVersion):
    """One version with its document and the numbers of all versions."""

    versions: list[str]


class WorkflowTask(TypedDict):
    """One task of a run; `at` is the round of the bodies that it is in, such as `each[3]`.

    `cost_usd_micros` is its tool's, or that of the models and tools of the runs that it started; `aws_usd_micros` is what AWS
    charges for it, of which `runs_aws_usd_micros` for those runs.
    """

    task: str
    at: NotRequired[str]
    type: str
    status: WorkflowTaskStatus
    output: NotRequired[Any]
    output_bytes: NotRequired[int]
    error: NotRequired[RunError]
    why: NotRequired[str]
    fell_back: NotRequired[bool]
    attempt: NotRequired[int]
    started_at: NotRequired[str]
    ended_at: NotRequired[str]
    took_ms: NotRequired[int]
    cost_usd_micros: NotRequired[int]
    aws_usd_micros: NotRequired[int]
    runs_aws_usd_micros: NotRequired[int]
    taken_over: NotRequired[bool]
    child: NotRequired[str]
    approval: NotRequired[str]
    """Of a task that waits for a person: what is to be decided."""
    callback: NotRequired[str]
    """Of a task that waits for a call: its address."""
    decided: NotRequired[str]


class WorkflowTotals(TypedDict):
    """A run's tasks, counted when it ended, and what they cost in millionths of a dollar."""

    tasks: int
    completed: int
    failed: int
    skipped: int
    cost_usd_micros: int
    tool_usd_micros: int
    runs_aws_usd_micros: int


class WorkflowCost(TypedDict):
    """What a run cost in micro-dollars: models, tools and AWS, of it and of runs within it."""

    runs_usd_micros: int
    tool_usd_micros: int
    runs_aws_usd_micros: int
    aws_usd_micros: int
    total_usd_micros: int


class WorkflowReport(TypedDict):
    """Report of a run: tasks by status, failures, fallbacks and compensation."""

    counts: dict[str, int]
    success_rate: float | None
    errors: list[dict[str, Any]]
    fell_back: list[str]
    undone: list[str]
    not_undone: NotRequired[list[str]]
    """What ought to have been undone, and could not be."""
    cost_usd_micros: int


class WorkflowRun(AnyRun):
    """One execution of a workflow; lists leave `input`, `output`, `tasks` and `report` out."""

    kind: Literal["workflow"]
    workflow: str
    status: WorkflowRunStatus
    rerun_of: NotRequired[str]
    totals: WorkflowTotals
    cost: WorkflowCost
    input: NotRequired[Any]
    output: NotRequired[Any]
    tasks: NotRequired[list[WorkflowTask]]
    report: NotRequired[WorkflowReport]


class WorkflowRunPage(TypedDict):
    """Runs, newest first; `next_cursor` asks for the page after it, None at the end."""

    runs: list[WorkflowRun]
    next_cursor: str | None


class RunPage(TypedDict):
    """Runs of agents and workflows, newest first; `kind` says which of the two."""

    runs: list[Run | WorkflowRun]
    next_cursor: str | None


class WorkflowProof(TypedDict):
    """Whether something holds of a workflow; `counter_example` is a path where it does not."""

    name: str
    holds: bool
    is_required: bool
    counter_example: list[str]
    words: str


class PlanTable(TypedDict):
    """A plan in words: `summary` has labels and values, `tasks` a head and a row per task."""

    summary: list[list[str]]
    tasks: list[list[str]]


class WorkflowPlan(TypedDict):
    """Least, expected and most of a run's effort and cost; money in micro-dollars."""

    plan: dict[str, Any]
    proofs: list[WorkflowProof]
    table: PlanTable


class WorkflowDiff(TypedDict):
    """How two versions differ; `same` is True if they do not."""

    workflow: str
    before: str
    after: str
    same: bool
    fields: list[dict[str, Any]]
    tasks_added: list[str]
    tasks_removed: list[str]
    tasks_changed: list[dict[str, Any]]
    edges_added: list[dict[str, str]]
    edges_removed: list[dict[str, str]]
    plan: list[dict[str, Any]]
    permissions: dict[str, dict[str, list[str]]]
