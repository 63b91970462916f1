"""A workflow's document, as written and as stored: a versioned graph of tasks.

One model for YAML, JSON and Python. Fields have the names of the document; the other names that people know
for them (`agent_id`, `inputs`, `condition`, `dependencies`, …) are read by `stepward.workflows.documents`,
which stores only these. What belongs to a task's type alone (`agent`, `tool`, `items`, …) is written beside
the common fields in the document and kept in `settings` here; `stepward.tasks` knows each type's.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_serializer, model_validator

from stepward.domain.durations import A_YEAR_S
from stepward.domain.ids import AgentId, Version
from stepward.domain.money import usd_to_micros
from stepward.domain.numbers import Exact
from stepward.domain.retries import Retry

TASK_ID_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_]{0,47}$"
"""ASCII only, so that no two ids look alike, and a name that an expression can say: `$tasks.draft`."""
LONGEST_PATH_CHARS: Final = 70
"""Of a task within groups, such as `each.draft`: it names a state, which may have 80 characters."""
MOST_TASKS: Final = 10_000
DEEPEST_NESTING: Final = 4

TaskId = Annotated[str, StringConstraints(pattern=TASK_ID_PATTERN)]
OnError = Literal["fail", "continue"]
"""What a task's final failure does: end the run at once, or let tasks that do not need it continue."""
RunWhen = Literal["all_done", "any_done", "always"]
"""When a task runs that needs others: all of them completed (else it is skipped), at least one, or however they ended."""


class Fallback(BaseModel):
    """The output that replaces that of a task that failed for good."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    output: Any


class Transition(BaseModel):
    """Where a state machine goes after a task: the first whose `when` holds, or that has none."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    to: TaskId = Field(description="The task that comes next.")
    when: str | None = Field(
        default=None, max_length=4_000, description="An expression; without it this way is always open."
    )


class TaskDefinition(BaseModel):
    """One node. `tasks` is the body of a type that has one: foreach, loop, parallel."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id: TaskId
    type: str
    name: str = Field(default="", max_length=120)
    description: str = Field(default="", max_length=2_000)
    needs: tuple[str, ...] = ()
    when: str | None = Field(default=None, max_length=4_000)
    run_when: RunWhen = "all_done"
    inputs: dict[str, Any] = Field(default_factory=dict, alias="with")
    retry: Retry | None = None
    on_error: OnError | None = None
    fallback: Fallback | None = None
    timeout_s: int | None = Field(default=None, strict=True, ge=1, le=A_YEAR_S)
    priority: int = Field(default=5, strict=True, ge=1, le=10)
    data: Literal["pii", "redacted"] | None = None
    """What the task's output holds, for the proof that nothing personal leaves unredacted."""
    compensate: TaskDefinition | None = None
    """Undoes this task when the run fails after it: run in reverse order of completion."""
    next: tuple[Transition, ...] = ()
    max_visits: int | None = Field(default=None, strict=True, ge=1, le=1_000)
    """How often a state machine may enter the task; tasks in a cycle need it."""
    tasks: tuple[TaskDefinition, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)

    @property
    def asks_again(self) -> bool:
        """Return True if a timeout is retried: where the task has both a timeout and a `retry`."""
        return self.timeout_s is not None and self.retry is not None

    @model_validator(mode="before")
    @classmethod
    def _gather_settings(cls, given: Any) -> Any:
        """Move the fields of the task's type into `settings`, which the type's own model reads."""
        if not isinstance(given, dict):
            return given
        known = COMMON_FIELDS
        own = {name: value for name, value in given.items() if name not in known}
        common = {name: value for name, value in given.items() if name in known}
        return common | ({"settings": {**given.get("settings", {}), **own}} if own else {})

    @model_serializer(mode="wrap")
    def _as_in_the_document(self, handler: Any) -> dict[str, Any]:
        shown: dict[str, Any] = handler(self)
        own = shown.pop("settings", {})
        inputs = shown.pop("inputs", None) or shown.pop("with", None)
        # Within a workflow this runs twice; the type's own fields have their nulls and empty texts on purpose.
        empty: tuple[Any, ...] = (None, "", (), [], {})
        kept = {
            name: value for name, value in shown.items() if name not in COMMON_FIELDS or value not in empty
        }
        return {**kept, **({"with": inputs} if inputs else {}), **own}


COMMON_FIELDS: Final = frozenset(
    {"with" if name == "inputs" else name for name in TaskDefinition.model_fields}
)


class Policy(BaseModel):
    """What must be proved of the graph before a version is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    redact_pii: bool = Field(
        default=False,
        description="No path leads from a task whose data is `pii` to an outside tool but through one whose data is"
        " `redacted`.",
    )
    approve_once: bool = Field(
        default=False, description="Every tool of effect `once` needs a person's approval."
    )


class WorkflowDefinition(BaseModel):
    """One version of a workflow."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id: AgentId
    name: str = Field(min_length=1, max_length=120)
    version: Version
    description: str = Field(default="", max_length=2_000)
    tags: list[str] = Field(default_factory=list, max_length=20)
    input: dict[str, Any] | None = None
    """The JSON Schema of a run's input; without one anything goes."""
    tasks: tuple[TaskDefinition, ...] = Field(min_length=1, max_length=MOST_TASKS)
    start: TaskId | None = None
    """Makes the graph a state machine: it begins here and goes where `next` says."""
    output: Any = None
    """A value with expressions; without one the outputs of the tasks that no other needs, by id."""
    retry: Retry | None = None
    on_error: OnError = "fail"
    allow_partial: bool = Field(default=False, strict=True)
    """Tasks may fail: the run is PARTIALLY_COMPLETED unless one of priority 8 or more failed, or more than half did."""
    max_parallel: int | None = Field(default=None, strict=True, ge=1, le=1_000)
    timeout_s: int = Field(default=86_400, strict=True, ge=1, le=A_YEAR_S)
    priority: Literal["high", "normal", "low"] = "normal"
    """The priority of its agents' runs in the run queue."""
    cost_limit_usd: Exact | None = Field(default=None, gt=0, le=100_000, decimal_places=6)
    policy: Policy = Policy()

    @property
    def cost_limit_usd_micros(self) -> int | None:
        """The limit in micro-dollars."""
        return None if self.cost_limit_usd is None else usd_to_micros(self.cost_limit_usd)

    @property
    def is_state_machine(self) -> bool:
        """Whether tasks follow each other by transitions, not by what they need."""
        return self.start is not None
