"""Types of the API's JSON documents, for editors and type checkers.

They are the documents themselves (dictionaries), not copies: a field that a newer server adds is not lost.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from stepward.domain.run_queue import Priority

RunStatus = Literal[
    "PENDING", "RUNNING", "WAITING", "COMPLETED", "FAILED", "RATE_LIMITED", "BUDGET_EXCEEDED", "CANCELLED"
]
AgentState = Literal[
    "CREATED",
    "INITIALIZING",
    "VALIDATING",
    "VALIDATED",
    "READY",
    "EXECUTING",
    "COMPLETED",
    "FAILED",
    "TERMINATED",
]
Capability = Literal["TEXT_PROCESSING", "DOCUMENT_ANALYSIS", "API_INTEGRATION", "WORKFLOW_CONTROL"]

# RATE_LIMITED is absent: a run has it while it waits for a provider, and goes on.
FINAL_STATUSES: frozenset[str] = frozenset({"COMPLETED", "FAILED", "BUDGET_EXCEEDED", "CANCELLED"})


class RunTotals(TypedDict):
    """What a run has used so far; money is in millionths of a dollar."""

    turns: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd_micros: int
    tool_usd_micros: int
    """What tools cost; it is part of `cost_usd_micros`."""
    response_cache_hits: NotRequired[int]
    """How many turns the response cache answered; this and what it saved are there only if it did."""
    saved_tokens: NotRequired[int]
    saved_usd_micros: NotRequired[int]
    """What those turns would have cost; it is in no other number."""


class AwsCost(TypedDict):
    """AWS's charge for the run itself by list price, with AWS's own names of units."""

    counts: dict[str, int]
    usd_micros: int


class RunError(TypedDict):
    """Why a run did not complete: `code` is stable, `detail` is for people."""

    code: str
    detail: str


class Attachment(TypedDict):
    """A data file that a run shows its model, as it was at the start."""

    key: str
    media_type: str
    size_bytes: int
    sha256: str


class StartOptions(TypedDict, total=False):
    """Options of a start of either kind of run; one that is None is left out."""

    version: str | None
    """A version, or for an agent a label. Default: the newest."""
    rehearse: bool | None
    """Whether rehearsals answer, or models. Default: what the stage says."""
    charge: bool | None
    """Whether a rehearsed run draws on budgets and counts among the costs. Default: what the stage says."""


class AnyRun(TypedDict):
    """Fields that the runs of agents and of workflows share."""

    id: str
    version: str
    principal: str
    priority: Priority
    rehearsed: bool
    """Whether rehearsals answer in place of models."""
    charged: bool
    """Whether it draws on budgets and counts among the costs: always, unless it is rehearsed."""
    parent: str | None
    created_at: str
    deadline_at: str
    ended_at: str | None
    error: RunError | None
    aws: NotRequired[AwsCost]
    """Known at the run's end."""


class Run(AnyRun):
    """One execution of an agent; `input` and `output` come with a single run, not with a list."""

    kind: Literal["agent"]
    agent: str
    status: RunStatus
    answered_by: str | None
    """`rehearsal`, or the models, joined by commas; None for a run that ended before any of them did."""
    charged_to: NotRequired[list[str]]
    """The budgets that it draws on, in words; absent where it is not charged, and in lists."""
    paused: NotRequired[bool]
    fork_of: NotRequired[dict[str, Any]]
    waiting_for: NotRequired[dict[str, Any]]
    """`what`: `answers`, `pause`, `slot` or `provider`; `since`, and where it is known `until` and why."""
    input: NotRequired[str | dict[str, Any]]
    attachments: NotRequired[list[Attachment]]
    prompt: NotRequired[dict[str, str]]
    output: NotRequired[str | None]
    totals: RunTotals


class Event(TypedDict):
    """One fact of a run; what `data` holds depends on `type`."""

    id: str
    seq: int
    type: str
    time: str
    run: str
    agent: NotRequired[str]
    data: dict[str, Any]


class EventPage(TypedDict):
    """Events after a cursor.

    `next` is the cursor after them; `ended` says that the run adds no more.
    """

    events: list[Event]
    next: int
    ended: bool


class AgentSummary(TypedDict):
    """One row of the list of agents.

    `version` is None while none has passed its checks; `uid` never changes.
    """

    id: str
    uid: str | None
    state: AgentState
    name: str
    version: str | None
    model: str
    description: str
    capabilities: list[Capability]
    module: str | None
    category: str | None
    tags: list[str]
    priority: int
    created_at: str


class AgentRefusal(TypedDict):
    """Why a version was not kept; `to` is the state that it did not reach."""

    version: str
    to: AgentState
    detail: str
    field: str | None
    fix: str | None
    at: str


class AgentStatus(AgentSummary):
    """An agent's state; `view` follows its newest run, `may_go_to` lists the next states."""

    view: AgentState
    may_go_to: list[AgentState]
    refusal: AgentRefusal | None


class AgentPage(TypedDict):
    """Agents by id, each by its newest version; `next_cursor` is None at the end.

    A page that was narrowed may be short, or empty, and still have a `next_cursor`.
    """

    agents: list[AgentSummary]
    next_cursor: str | None


class AgentDetail(AgentStatus):
    """One version of an agent; `agent` is its definition, None before one has passed."""

    agent: dict[str, Any] | None


class Registration(AgentSummary):
    """The answer to a definition that was registered now or before."""


class Health(TypedDict):
    """The answer of a stage's API, with its stage and version."""

    status: str
    stage: str
    version: str


class Readiness(TypedDict):
    """Whether the API can work, with a check for each dependency."""

    status: str
    checks: dict[str, str]


def has_ended(run: Run) -> bool:
    """Return True if a run will not change any more.

    Args:
        run: A run of an agent or a workflow.

    Returns:
        Whether it has ended, whatever its status.

    Example:
        >>> has_ended({"id": "run_1", "status": "COMPLETED"})
        True
    """
    return run.get("ended_at") is not None or run["status"] in FINAL_STATUSES
