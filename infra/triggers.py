"""What starts a function without a request, in the words of its `function.toml`: events on the bus, the clock, a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from infra.names import Arns
from infra.tables import TABLES
from stepward.domain.patterns import check_pattern
from stepward.domain.schedules import parse_schedule

DATA_BUCKET = "bucket.data"
WORKFLOWS = "workflows.machines"
"""How the ARNs of workflows' machines begin, for a rule that matches by prefix."""
_REFERENCE = re.compile(r"\$\{([a-z]+)\.([A-Za-z0-9_-]+)\}")

STACKS = ("data", "queues", "functions", "machines", "api")

Matcher = str | dict[str, Any]


def _recurring(text: str) -> str:
    if text.startswith("at("):
        raise ValueError(f"{text!r}: a function's schedule recurs; write rate(…) or cron(…)")
    parse_schedule(text)
    return text


def _pattern(content: dict[str, Any]) -> dict[str, Any]:
    check_pattern(content)
    return content


Pattern = Annotated[dict[str, Any], AfterValidator(_pattern)]
ScheduleText = Annotated[str, AfterValidator(_recurring)]


class RuleSpec(BaseModel):
    """Which events of a bus start a function: an EventBridge pattern by field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bus: Literal["default", "events"] = "default"
    source: Annotated[tuple[Matcher, ...], Field(min_length=1)]
    detail_type: tuple[Matcher, ...] = ()
    resources: tuple[Matcher, ...] = ()
    detail: Pattern = {}

    @property
    def pattern(self) -> dict[str, Any]:
        """Return the pattern as EventBridge takes it."""
        fields = {
            "source": list(self.source),
            "detail-type": list(self.detail_type),
            "resources": list(self.resources),
            "detail": self.detail,
        }
        return {name: value for name, value in fields.items() if value}


def _known_table(name: str) -> str:
    streamed = [table.name for table in TABLES.values() if table.streams_new_images]
    if name not in streamed:
        raise ValueError(f"{name!r} has no stream; tables with one: {', '.join(streamed)}")
    return name


class StreamSpec(BaseModel):
    """Which changes of a table a function gets, and what becomes of those that fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Annotated[str, AfterValidator(_known_table)]
    filter: Pattern = {}
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 100
    window_s: Annotated[int, Field(ge=0, le=300)] = 0
    retries: Annotated[int, Field(ge=0, le=10_000)] = 5
    parallel: Annotated[int, Field(ge=1, le=10)] = 1


def references(content: Any) -> list[tuple[str, str]]:
    """List what a pattern names by `${kind.name}`."""
    if isinstance(content, Mapping):
        return [found for value in content.values() for found in references(value)]
    if isinstance(content, list | tuple):
        return [found for value in content for found in references(value)]
    return _REFERENCE.findall(content) if isinstance(content, str) else []


def known_references(machines: Collection[str]) -> list[str]:
    """List what a pattern may name."""
    return [
        *(f"machine.{name}" for name in machines),
        DATA_BUCKET,
        WORKFLOWS,
        *(f"stack.{part}" for part in STACKS),
    ]


def unknown_reference(rules: Collection[RuleSpec], machines: Collection[str]) -> str | None:
    """Find a reference that leads nowhere."""
    named = (f"{kind}.{name}" for rule in rules for kind, name in references(rule.pattern))
    return next((name for name in named if name not in known_references(machines)), None)


def resolved(content: Any, arns: Arns) -> Any:
    """Replace `${machine.…}`, `${stack.…}` and `${bucket.data}` in a pattern."""
    if isinstance(content, Mapping):
        return {name: resolved(value, arns) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [resolved(value, arns) for value in content]
    if isinstance(content, str):
        return _REFERENCE.sub(lambda match: _meant(match, arns), content)
    return content


def _meant(match: re.Match[str], arns: Arns) -> str:
    if match[1] == "stack":
        return arns.stack(match[2])
    if match[1] == "workflows":
        return arns.workflow_machines("")
    return arns.data_bucket_name() if match[1] == "bucket" else arns.machine(match[2])
