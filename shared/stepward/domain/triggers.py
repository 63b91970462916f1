"""A trigger starts an agent or a workflow by an object, event, schedule or signed call.

Triggers are data: a thousand of them add no resource, except that each schedule is one of EventBridge Scheduler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from stepward.domain.ids import VERSION_PATTERN, AgentId, VersionOrLabel
from stepward.domain.json_text import carried_bytes
from stepward.domain.patterns import check_pattern
from stepward.domain.run_queue import Priority
from stepward.domain.runs import AnswerChoice
from stepward.domain.schedules import parse_schedule, time_zone

TRIGGER_ID_PATTERN: Final = r"^[a-z][a-z0-9-]{1,62}$"
INPUT_LIMIT_BYTES: Final = 16_000
KEY_LIMIT_CHARS: Final = 900
PATTERN_LIMIT_FIELDS: Final = 100
SOURCE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$"
EVENT_ITSELF: Final = "{% $event %}"

TriggerId = Annotated[str, StringConstraints(pattern=TRIGGER_ID_PATTERN)]
Source = Annotated[str, StringConstraints(pattern=SOURCE_PATTERN)]


def _readable(expression: str) -> str:
    parse_schedule(expression)
    return expression


def _known_zone(name: str) -> str:
    time_zone(name)
    return name


def _checked(pattern: dict[str, Any]) -> dict[str, Any]:
    if check_pattern(pattern) > PATTERN_LIMIT_FIELDS:
        raise ValueError(f"a pattern may have {PATTERN_LIMIT_FIELDS} fields; make several triggers")
    return pattern


Pattern = Annotated[dict[str, Any], AfterValidator(_checked)]


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


DetailType = Annotated[str, Field(min_length=1, max_length=200)]
ScheduleText = Annotated[str, Field(max_length=256), AfterValidator(_readable)]
ZoneName = Annotated[str, Field(max_length=50), AfterValidator(_known_zone)]

WORKFLOW_EVENTS: Final = "stepward.workflow"
"""The source of events that tasks of workflows put; each belongs to the tenant of its run."""


class TriggerKind(StrEnum):
    """What a trigger waits for."""

    S3 = "s3"
    EVENT = "event"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"


HOW_TO_FIRE: Final[Mapping[str, str]] = {
    TriggerKind.S3: "put a file under its prefix: stepward triggers fire ID --file FILE",
    TriggerKind.EVENT: "put an event: stepward triggers fire ID --event EVENT",
    TriggerKind.SCHEDULE: "it fires when its time comes; `stepward triggers try` shows what it would start",
    TriggerKind.WEBHOOK: "make a signed call: stepward triggers fire ID --event BODY --secret whsec_…",
}
"""How to make a trigger of each kind fire; `ID` means its id."""


class ObjectMatch(BaseModel):
    """Which new objects of the tenant's data fire; `content` puts the object into `$event`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    prefix: str = Field(default="", max_length=KEY_LIMIT_CHARS)
    suffix: str = Field(default="", max_length=100)
    content: Literal["json", "text"] | None = None

    @model_validator(mode="after")
    def _is_relative(self) -> Self:
        if self.prefix.startswith("/") or self.prefix.startswith("tenants/"):
            raise ValueError("`prefix` begins inside the tenant's own part of the bucket, as in inbox/")
        return self


class EventMatch(BaseModel):
    """Which events of the stage's bus fire: one source, these types, a detail that matches."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    source: Source
    detail_type: Annotated[tuple[DetailType, ...], BeforeValidator(_listed)] = Field(
        default=(), max_length=20
    )
    """The types that fire, all if there is none; a single one may be written without a list."""
    detail: Pattern = Field(default_factory=dict)


class ScheduleMatch(BaseModel):
    """When a schedule fires, as EventBridge Scheduler's expression in a zone's wall time."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    expression: ScheduleText
    timezone: ZoneName = "UTC"


class Trigger(AnswerChoice):
    """The caller's part of a trigger, with `rehearse` and `charge` for the runs it starts."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    id: TriggerId
    kind: TriggerKind
    agent: AgentId | None = None
    workflow: AgentId | None = None
    version: VersionOrLabel | None = None
    description: str = Field(default="", max_length=500)
    input: Any = EVENT_ITSELF
    priority: Priority | None = None
    enabled: bool = Field(default=True, strict=True)
    s3: ObjectMatch | None = None
    event: EventMatch | None = None
    schedule: ScheduleMatch | None = None

    @model_validator(mode="after")
    def _starts_one_thing(self) -> Self:
        if (self.agent is None) == (self.workflow is None):
            found = "none of them" if self.agent is None else "both"
            raise ValueError(f"say exactly one of `agent` and `workflow`; found {found}")
        if self.workflow is None:
            return self
        if self.version not in (None, "latest") and not re.fullmatch(VERSION_PATTERN, self.version):
            raise ValueError(
                "the `version` of a workflow is a number as in 1.2.0, or latest: it has no labels"
            )
        if self.priority is not None:
            raise ValueError("a workflow says its priority itself; remove `priority`")
        return self

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        matches = {kind.value for kind in TriggerKind} & type(self).model_fields.keys()
        needed = self.kind.value if self.kind.value in matches else None
        given = {name for name in matches if getattr(self, name) is not None}
        if needed and needed not in given:
            raise ValueError(f"a trigger of kind {self.kind} needs `{needed}`")
        if foreign := given - {needed}:
            raise ValueError(f"a trigger of kind {self.kind} takes no `{min(foreign)}`; remove it")
        return self

    @model_validator(mode="after")
    def _input_is_small(self) -> Self:
        size = carried_bytes(self.input)
        if size > INPUT_LIMIT_BYTES:
            raise ValueError(f"`input` takes {size} bytes, the limit is {INPUT_LIMIT_BYTES}")
        return self

    @property
    def source(self) -> str | None:
        """The event source that the operator has to give to its tenant; None where none is needed."""
        found = self.event.source if self.event else None
        return None if found == WORKFLOW_EVENTS else found  # each tenant gets those of its own runs

    @property
    def channel(self) -> str | None:
        """The channel by which an event's triggers are found; None for schedules and webhooks."""
        if self.s3:
            return object_channel(self.s3.prefix)
        return event_channel(self.event.source) if self.event else None


def object_channel(path: str) -> str:
    """Name the channel of a path's first folder, or of the tenant's whole part."""
    folder, slash, _ = path.partition("/")
    return f"s3#{folder}" if slash else "s3#"


def event_channel(source: str) -> str:
    """Name the channel of a source."""
    return f"event#{source}"


class FireResult(StrEnum):
    """The result of one firing of a trigger."""

    STARTED = "started"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class FireError(BaseModel):
    """Why a firing started nothing."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: str
    detail: str
    at: str


class Firing(BaseModel):
    """One firing, as it is counted."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    at: str
    event: str
    result: FireResult
    run: str | None = None
    error: FireError | None = None


class TriggerState(BaseModel):
    """What a trigger has done so far."""

    started: int = 0
    duplicate: int = 0
    failed: int = 0
    last_fired_at: str | None = None
    last_event: str | None = None
    last_run: str | None = None
    last_error: FireError | None = None


class KeptTrigger(BaseModel):
    """A trigger as stored; `revision` counts its changes, `since` is when its fields changed."""

    tenant: str
    trigger: Trigger
    created_at: str
    created_by: str
    since: str
    revision: int = 1

    @property
    def principal(self) -> str:
        """The principal that starts its runs, as runs show it."""
        return f"trigger.{self.trigger.id}"
