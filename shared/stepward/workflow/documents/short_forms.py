"""Spells out what may be written shorter than it is kept: one for a list of one, a number for a retry, a word for a rule."""

from __future__ import annotations

from typing import Any

from stepward.domain.documents.problems import meant
from stepward.models.expressions import is_expression
from stepward.workflow.documents.names import ERROR_HANDLING, ERROR_RULES, RETRY_NAMES, STRATEGIES
from stepward.workflow.documents.notes import Notes, Place


def listed(value: Any) -> Any:
    """Read one name as a list of one."""
    return [value] if isinstance(value, str) else value


def as_expression(value: Any) -> Any:
    """Read a text as an expression where nothing else could be meant."""
    if isinstance(value, str) and value.strip() and "{%" not in value:
        return f"{{% {value.strip()} %}}"
    return value if not is_expression(value) else value.strip()


def whole(seconds: Any) -> Any:
    """Read 30.0 as 30: elsewhere times may be fractions, here they are whole seconds."""
    return int(seconds) if isinstance(seconds, float) and seconds.is_integer() else seconds


def transitions(value: Any) -> Any:
    """Read `next: review` as the one transition that always holds."""
    found = [value] if isinstance(value, str | dict) else value
    if not isinstance(found, list):
        return found
    spelt = [{"to": one} if isinstance(one, str) else one for one in found]
    return [
        {**one, "when": as_expression(one["when"])} if isinstance(one, dict) and "when" in one else one
        for one in spelt
    ]


def fallback(value: Any) -> Any:
    """Read a value as the output that stands in, a mapping too; only one that holds `output` alone is the long form."""
    is_spelt = isinstance(value, dict) and value.keys() == {"output"}
    return value if is_spelt else {"output": value}


def retry(value: Any, written: str, notes: Notes, place: Place) -> Any:
    """Read a number as the attempts in all (of `max_retries`: those after the first), and other names of its fields."""
    if isinstance(value, int) and not isinstance(value, bool):
        attempts = value + 1 if written == "max_retries" else value
        return {"strategy": "exponential", "max_attempts": attempts}
    if not isinstance(value, dict):
        return value
    inner = Place((*place.at, "retry"), (*place.source, written), place.task)
    said = notes.renamed(value, RETRY_NAMES, (), inner)
    most = said.get("max_attempts")
    if "max_retries" in value and isinstance(most, int) and "max_attempts" not in value:
        said["max_attempts"] = most + 1
    strategy = said.get("strategy", "exponential")
    if isinstance(strategy, str):
        word = strategy.strip().lower().replace("-", "_").replace(" ", "_")
        strategy = STRATEGIES.get(word, word)
    return {**said, "strategy": strategy}


def error_rule(value: Any) -> Any:
    """Read the words that others have for `fail` and `continue`."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower().replace("-", "_").replace(" ", "_")
    return ERROR_RULES.get(word, word)


def take_error_handling(said: dict[str, Any], notes: Notes, place: Place) -> None:
    """Put what `error_handling` says into the fields that it stands for."""
    value = said.pop("error_handling", None)
    if isinstance(value, str):
        value = {"on_error": value}
    if not isinstance(value, dict):
        if value is not None:
            detail = "error_handling is neither a word nor a mapping"
            notes.tell(place, "error_handling", "wrong-type", detail, "write {strategy: continue}")
        return
    inner = Place(place.at, (*place.source, "error_handling"), place.task)
    for written, one in value.items():
        _take_one(said, written, one, notes, inner)


def _take_one(said: dict[str, Any], written: str, value: Any, notes: Notes, place: Place) -> None:
    name = ERROR_HANDLING.get(written)
    if name is None:
        fix = meant(written, ERROR_HANDLING, f"it may hold {', '.join(ERROR_HANDLING)}")
        notes.tell(place, written, "unknown-field", f"error_handling has no field {written!r}", fix)
        return
    if name == "on_error" and error_rule(value) == "retry":
        name, value = "retry", said.get("retry", 3)
        said.pop("retry", None)
    if name in said:
        detail = f"error_handling says {name!r}, which is given too"
        notes.tell(place, written, "one-field-twice", detail, "keep one of the two")
        return
    said[name] = value
    notes.moved(place, name, written)
