"""Expand short forms, and record where each field was written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Document, Path
from stepward.domain.nearest import did_you_mean
from stepward.expressions.evaluate import is_expression
from stepward.workflows.documents.aliases import (
    ERROR_HANDLING,
    ERROR_RULES,
    MAY_BE_NULL,
    RETRY_NAMES,
    STRATEGIES,
)

# What normalization leaves behind: origins and problems.


@dataclass(frozen=True)
class Location:
    """A mapping that is being normalized: its target path, its source path, and its task."""

    at: Path
    source: Path
    task: str | None = None


@dataclass
class SourceMap:
    """Where each normalized field was written, and the problems found on the way."""

    document: Document
    origins: dict[Path, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def moved(self, location: Location, name: str | int, was: str) -> None:
        """Record under which name a field was written."""
        self.origins[(*location.at, name)] = (*location.source, was)

    def report(self, location: Location, name: str, code: str, detail: str, fix: str) -> None:
        """Record a problem at a field as it was written."""
        problem = Problem(code=code, detail=detail, fix=fix, task=location.task, field=name)
        self.problems.append(self.document.problem((*location.source, name), problem))

    def renamed(
        self, given: Mapping[str, Any], names: Mapping[str, str], known: Collection[str], location: Location
    ) -> dict[str, Any]:
        """Resolve the aliases of a mapping's fields.

        Of a field that is given by two names the first is kept, and the second is a problem. A known field that is null
        counts as not given.
        """
        said: dict[str, Any] = {}
        first: dict[str, str] = {}
        for written, value in given.items():
            name = names.get(written, written)
            if value is None and name not in MAY_BE_NULL and (name in known or written in names):
                continue
            if name in said:
                detail = f"{written!r} is another name of {first[name]!r}, which is given too"
                self.report(location, written, "one-field-twice", detail, f"keep {name!r} only")
                continue
            said[name], first[name] = value, written
            if name != written:
                self.moved(location, name, written)
        return said


# Short forms.


def listed(value: Any) -> Any:
    """Read one name as a list of one."""
    return [value] if isinstance(value, str) else value


def as_expression(value: Any) -> Any:
    """Read a text as an expression where nothing else could be meant."""
    if isinstance(value, str) and value.strip() and "{%" not in value:
        return f"{{% {value.strip()} %}}"
    return value if not is_expression(value) else value.strip()


def whole(seconds: Any) -> Any:
    """Read 30.0 as 30: times here are whole seconds."""
    return int(seconds) if isinstance(seconds, float) and seconds.is_integer() else seconds


def transitions(value: Any) -> Any:
    """Read `next: review` as one transition without a condition."""
    found = [value] if isinstance(value, str | dict) else value
    if not isinstance(found, list):
        return found
    expanded = [{"to": one} if isinstance(one, str) else one for one in found]
    return [
        {**one, "when": as_expression(one["when"])} if isinstance(one, dict) and "when" in one else one
        for one in expanded
    ]


def fallback(value: Any) -> Any:
    """Read a value as the output of a fallback.

    Only a mapping that holds `output` alone is the long form; any other mapping is itself the output.
    """
    is_long_form = isinstance(value, dict) and value.keys() == {"output"}
    return value if is_long_form else {"output": value}


def retry(value: Any, written: str, source_map: SourceMap, location: Location) -> Any:
    """Read a number as attempts, and resolve the aliases of a retry rule's fields.

    A number is all attempts; of `max_retries` it is those after the first.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        attempts = value + 1 if written == "max_retries" else value
        return {"strategy": "exponential", "max_attempts": attempts}
    if not isinstance(value, dict):
        return value
    inner = Location((*location.at, "retry"), (*location.source, written), location.task)
    said = source_map.renamed(value, RETRY_NAMES, (), inner)
    most = said.get("max_attempts")
    if "max_retries" in value and isinstance(most, int) and "max_attempts" not in value:
        said["max_attempts"] = most + 1
    strategy = said.get("strategy", "exponential")
    if isinstance(strategy, str):
        word = strategy.strip().lower().replace("-", "_").replace(" ", "_")
        strategy = STRATEGIES.get(word, word)
    return {**said, "strategy": strategy}


def error_rule(value: Any) -> Any:
    """Resolve the aliases of `fail` and `continue`."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower().replace("-", "_").replace(" ", "_")
    return ERROR_RULES.get(word, word)


def take_error_handling(said: dict[str, Any], source_map: SourceMap, location: Location) -> None:
    """Move what `error_handling` says into the fields that it sets."""
    value = said.pop("error_handling", None)
    if isinstance(value, str):
        value = {"on_error": value}
    if not isinstance(value, dict):
        if value is not None:
            detail = "error_handling is neither a word nor a mapping"
            source_map.report(location, "error_handling", "wrong-type", detail, "write {strategy: continue}")
        return
    inner = Location(location.at, (*location.source, "error_handling"), location.task)
    for written, one in value.items():
        _take_one(said, written, one, source_map, inner)


def _take_one(
    said: dict[str, Any], written: str, value: Any, source_map: SourceMap, location: Location
) -> None:
    name = ERROR_HANDLING.get(written)
    if name is None:
        fix = did_you_mean(written, ERROR_HANDLING, f"it may hold {', '.join(ERROR_HANDLING)}")
        source_map.report(location, written, "unknown-field", f"error_handling has no field {written!r}", fix)
        return
    if name == "on_error" and error_rule(value) == "retry":
        name, value = "retry", said.get("retry", 3)
        said.pop("retry", None)
    if name in said:
        detail = f"error_handling says {name!r}, which is given too"
        source_map.report(location, written, "one-field-twice", detail, "keep one of the two")
        return
    said[name] = value
    source_map.moved(location, name, written)
