"""Validation of the fields of one state, by the Amazon States Language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.stepfunctions.parser.asl.component.intrinsic.functionname.state_function_name_types import (
    StatesFunctionNameType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)

from infra.local.engine.states import json_paths, times

Fault = tuple[str, str]
"""The message, and the place below the state."""

_LONGEST_S = 99_999_999
_LONGEST_DELAY_S = 31_622_400
_FUNCTION = re.compile(r"States\.(\w+)\s*\((.*)\)\s*", re.DOTALL)
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_VARIABLE = re.compile(r"\$[^\W\d]\w*")
_FUNCTIONS = frozenset(StatesFunctionNameType.__members__)
_NO_OPERATORS = frozenset({"Variable", "Next", "Comment", "Assign", "Output"})
_ONE_OF: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Wait": (("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),),
    "Fail": (("Error", "ErrorPath"), ("Cause", "CausePath")),
    "Task": (("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath")),
}


def faults_in(kind: str, state: Mapping[str, Any], language: str) -> Iterator[Fault]:
    """Yield the faults of a state's own fields."""
    for names in _ONE_OF.get(kind, ()):
        given = [name for name in names if name in state]
        if len(given) > 1:
            yield f"Only one of [{', '.join(names)}] is allowed", ""
        elif kind == "Wait" and not given:
            yield f"These fields are required: [{'] or ['.join(names)}]", ""
    for name in ("Choices", "Branches"):
        if state.get(name) == []:
            yield "There must be at least one item", f"/{name}"
    yield from _numbers(state)
    yield from _rules_of_errors(state)
    if language == "JSONPath":
        yield from _paths(kind, state)
        for number, rule in enumerate(state.get("Choices") or ()):
            yield from _comparison(rule, f"/Choices[{number}]", is_outermost=True)


def is_value_of_path(text: str) -> bool:
    """Return whether a text is a path, a variable's path or an intrinsic function."""
    if found := _FUNCTION.fullmatch(text):
        return found[1] in _FUNCTIONS and "'" not in _TEXT.sub("", found[2])
    return _is_path(_VARIABLE.sub("$", text.removeprefix("$") if text.startswith("$$") else text, count=1))


def _is_path(text: str) -> bool:
    try:
        json_paths.read(text)
    except ValueError:
        return False
    return True


def _paths(kind: str, state: Mapping[str, Any]) -> Iterator[Fault]:
    if "Output" in state and kind != "Fail":
        yield "Field is not supported: Output", "/Output"
    target = state.get("ResultPath")
    if isinstance(target, str) and not (_is_path(target) and json_paths.read(target).is_definite):
        yield f"Value is not a Reference Path: {target}", "/ResultPath"


def _numbers(state: Mapping[str, Any]) -> Iterator[Fault]:
    for name, least in (("Seconds", 0), ("TimeoutSeconds", 1), ("HeartbeatSeconds", 1)):
        value = state.get(name, least)
        if not isinstance(value, str) and not _is_whole(value, least, _LONGEST_S):
            yield f"Must be an integer from {least} to {_LONGEST_S}", f"/{name}"
    beat, end = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if isinstance(beat, int) and isinstance(end, int) and beat >= end:
        yield "HeartbeatSeconds must be smaller than TimeoutSeconds", "/HeartbeatSeconds"
    moment = state.get("Timestamp")
    if isinstance(moment, str) and not moment.startswith("{%") and times.read(moment) is None:
        yield "Must be an ISO-8601 extended offset date-time", "/Timestamp"


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _rules_of_errors(state: Mapping[str, Any]) -> Iterator[Fault]:
    for field in ("Retry", "Catch"):
        rules = state.get(field) or []
        for number, rule in enumerate(rules):
            at, names = f"/{field}[{number}]", rule.get("ErrorEquals")
            if not isinstance(names, list) or not names:
                yield "These fields are required: [ErrorEquals]", at
            elif "States.ALL" in names and (len(names) > 1 or number + 1 < len(rules)):
                yield "States.ALL must stand alone, in the last rule", f"{at}/ErrorEquals"
            if field == "Retry":
                yield from _pauses(rule, at)


def _pauses(rule: Mapping[str, Any], at: str) -> Iterator[Fault]:
    interval, longest = rule.get("IntervalSeconds", 1), rule.get("MaxDelaySeconds")
    if not _is_whole(interval, 0, _LONGEST_S):
        yield f"Must be an integer from 0 to {_LONGEST_S}", f"{at}/IntervalSeconds"
    elif longest is not None and not _is_whole(longest, interval + 1, _LONGEST_DELAY_S - 1):
        yield (
            f"Must be greater than IntervalSeconds and less than {_LONGEST_DELAY_S}",
            f"{at}/MaxDelaySeconds",
        )
    if not _is_whole(rule.get("MaxAttempts", 0), 0, _LONGEST_S):
        yield f"Must be an integer from 0 to {_LONGEST_S}", f"{at}/MaxAttempts"
    if not isinstance(rate := rule.get("BackoffRate", 1), int | float) or rate < 1:
        yield "Must be a number of at least 1.0", f"{at}/BackoffRate"
    if rule.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        yield "Must be one of [FULL, NONE]", f"{at}/JitterStrategy"


def _comparison(rule: Any, at: str, *, is_outermost: bool) -> Iterator[Fault]:
    if not isinstance(rule, dict):
        yield "Must be an object", at
        return
    operators = [name for name in rule if name not in _NO_OPERATORS]
    if len(operators) != 1:
        yield f"A rule has one comparison, this one has {len(operators)}", at
        return
    (name,) = operators
    if not is_outermost and "Next" in rule:
        yield "Field is not supported: Next", f"{at}/Next"
    if name in ("And", "Or", "Not"):
        inner = rule[name] if name != "Not" else [rule[name]]
        if not isinstance(inner, list) or not inner:
            yield "There must be at least one item", f"{at}/{name}"
        for number, one in enumerate(inner if isinstance(inner, list) else ()):
            place = f"{at}/{name}" + (f"[{number}]" if name != "Not" else "")
            yield from _comparison(one, place, is_outermost=False)
        return
    if "Variable" not in rule:
        yield "These fields are required: [Variable]", at
    if (wanted := _wanted(name)) is None:
        yield f"Field is not supported: {name}", f"{at}/{name}"
    elif not wanted[1](rule[name]):
        yield f"Must be {wanted[0]}", f"{at}/{name}"


def _wanted(operator: str) -> tuple[str, Callable[[Any], bool]] | None:
    if operator not in ComparisonOperatorType.__members__:
        return None
    if operator.startswith("Is"):
        return "true or false", lambda value: isinstance(value, bool)
    if operator.endswith("Path"):
        return "a path", lambda value: isinstance(value, str) and is_value_of_path(value)
    kinds: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
        "String": ("a string", lambda value: isinstance(value, str)),
        "Numeric": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
        "Boolean": ("true or false", lambda value: isinstance(value, bool)),
        "Timestamp": (
            "a timestamp",
            lambda value: isinstance(value, str) and times.read(value) is not None,
        ),
    }
    return next((one for kind, one in kinds.items() if operator.startswith(kind)), None)
