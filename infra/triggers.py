"""What starts a room without a request, in the words of its `function.toml`: events on the bus, the clock, a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from infra.schedules import parse_schedule
from infra.tables import TABLES

_REFERENCE = re.compile(r"\$\{([a-z]+)\.([A-Za-z0-9_-]+)\}")

Matcher = str | dict[str, Any]


def _recurring(text: str) -> str:
    if text.startswith("at("):
        raise ValueError(f"{text!r}: a room's schedule recurs; write rate(…) or cron(…)")
    parse_schedule(text)
    return text


def _is_pattern(content: Mapping[str, Any], path: str = "") -> None:
    for name, value in content.items():
        where = f"{path}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            _is_pattern(value, where)
        elif not isinstance(value, list | tuple) or not value:
            raise ValueError(f"{where}: a pattern lists the values that match, as in {name} = [{value!r}]")


def _pattern(content: dict[str, Any]) -> dict[str, Any]:
    _is_pattern(content)
    return content


Pattern = Annotated[dict[str, Any], AfterValidator(_pattern)]
ScheduleText = Annotated[str, AfterValidator(_recurring)]


class RuleSpec(BaseModel):
    """Which events of the default bus start a room: an EventBridge pattern in the words of its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[tuple[Matcher, ...], Field(min_length=1)]
    detail_type: tuple[Matcher, ...] = ()
    resources: tuple[Matcher, ...] = ()
    detail: Pattern = {}

    @property
    def pattern(self) -> dict[str, Any]:
        """Spell it as EventBridge does."""
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
    """Which changes of a table a room is told, and what becomes of those that it cannot take."""

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


def unknown_reference(rules: Collection[RuleSpec], machines: Collection[str]) -> str | None:
    """Find a reference that leads nowhere."""
    for kind, name in (found for rule in rules for found in references(rule.pattern)):
        if kind != "machine" or name not in machines:
            return f"{kind}.{name}"
    return None


def resolved(content: Any, machine_arn: Callable[[str], str]) -> Any:
    """Put ARNs where a pattern has `${machine.name}`."""
    if isinstance(content, Mapping):
        return {name: resolved(value, machine_arn) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [resolved(value, machine_arn) for value in content]
    if isinstance(content, str):
        return _REFERENCE.sub(lambda match: machine_arn(match[2]), content)
    return content
