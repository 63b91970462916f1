"""Validation of a state machine's definition, with AWS's codes, messages and locations.

Source: "ValidateStateMachineDefinitionDiagnostic" of the API reference, and what the API answers. The messages of schema
faults other than missing fields are our own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from jsonata.jexception import JException

from infra.local.engine.states import definition_fields
from infra.local.engine.states.jsonata import AwsJsonata

LONGEST_NAME_CHARS = 80
_SCHEMA = "SCHEMA_VALIDATION_FAILED"
_TARGET = "MISSING_TRANSITION_TARGET"
_GOING_ON = frozenset({"Map", "Parallel", "Pass", "Task", "Wait"})
_TYPES = _GOING_ON | {"Choice", "Fail", "Succeed"}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}
_NO_EXPRESSIONS = frozenset(
    {"Comment", "QueryLanguage", "Type", "Next", "StartAt", "States", "ItemProcessor", "Branches"}
)
_LOOKS_LIKE_A_PATH = ("$.", "$$.", "$[", "States.")


class Diagnostic(NamedTuple):
    """One fault; `location` is a JSON pointer, or None for the whole definition."""

    code: str
    message: str
    location: str | None
    severity: str = "ERROR"

    def text(self) -> str:
        """Return the fault as the text that CreateStateMachine answers."""
        return f"{self.code}: {self.message}" + ("" if self.location is None else f" at {self.location}")


class _Pairs(dict[str, Any]):
    """An object of a definition that remembers its duplicate names."""

    twice: tuple[str, ...] = ()


def diagnose(text: str) -> list[Diagnostic]:
    """List the errors and warnings that AWS reports for a definition."""
    try:
        definition = json.loads(text, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        return [Diagnostic("INVALID_JSON_DESCRIPTION", f"Invalid JSON description: {error}", None)]
    if not isinstance(definition, dict):
        return [Diagnostic("INVALID_JSON_DESCRIPTION", "The definition is no JSON object", None)]
    found = _Check()
    found.scope(definition, "", definition.get("QueryLanguage", "JSONPath"))
    found.duplicates()
    return found.faults


def _pairs(pairs: list[tuple[str, Any]]) -> _Pairs:
    made = _Pairs(pairs)
    made.twice = tuple(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return made


@dataclass
class _Check:
    """One validation of a definition, scope by scope; scopes share one namespace of states."""

    def __post_init__(self) -> None:
        self.faults: list[Diagnostic] = []
        self.places: dict[str, list[str]] = {}

    def scope(self, scope: Mapping[str, Any], at: str, language: str) -> None:
        missing = [name for name in ("StartAt", "States") if name not in scope]
        if missing:
            self._add(_SCHEMA, f"These fields are required: [{', '.join(missing)}]", at or "/")
            return
        states = scope["States"]
        if not isinstance(states, dict) or not states:
            self._add(_SCHEMA, "States must be an object with at least one state", f"{at}/States")
            return
        for name, state in states.items():
            place = f"{at}/States/{name}"
            self.places.setdefault(name, []).append(place)
            if len(name) > LONGEST_NAME_CHARS:
                self._add("INVALID_STATE_NAME", f"State name exceeds {LONGEST_NAME_CHARS} characters", place)
            self._state(state, place, language)
        for name in getattr(states, "twice", ()):
            self.places[name].append(f"{at}/States/{name}")
        self._transitions(scope, states, at)

    def duplicates(self) -> None:
        for name, places in self.places.items():
            for place in places[1:]:
                self._add("DUPLICATE_STATE_NAME", f"Duplicate State name: {name}", place)

    def _state(self, state: Any, at: str, language: str) -> None:
        kind = state.get("Type") if isinstance(state, dict) else None
        if kind not in _TYPES:
            words = "These fields are required: [Type]" if kind is None else f"Value is not valid: {kind}"
            self._add(_SCHEMA, words, at if kind is None else f"{at}/Type")
            return
        for name in _REQUIRED.get(kind, ()):
            if name not in state:
                self._add(_SCHEMA, f"These fields are required: [{name}]", at)
        if kind == "Map" and not {"ItemProcessor", "Iterator"} & set(state):
            self._add(_SCHEMA, "These fields are required: [ItemProcessor]", at)
        self._next(kind, state, at)
        own_language = state.get("QueryLanguage", language)
        for words, place in definition_fields.faults_in(kind, state, own_language):
            self._add(_SCHEMA, words, f"{at}{place}")
        if own_language == "JSONata":
            self._expressions({name: part for name, part in state.items() if name not in _NO_EXPRESSIONS}, at)
        else:
            self._static(kind, state, at)
        for place, inner in _inner(state):
            self.scope(inner, f"{at}/{place}", language)

    def _next(self, kind: str, state: Mapping[str, Any], at: str) -> None:
        given = [name for name in ("Next", "End") if state.get(name) not in (None, False)]
        if kind in _GOING_ON and len(given) != 1:
            words = (
                "Only one of [Next, End] is allowed"
                if given
                else "These fields are required: [Next] or [End]"
            )
            self._add(_SCHEMA, words, at)
        elif kind not in _GOING_ON and given:
            self._add(_SCHEMA, f"Field is not supported: {given[0]}", f"{at}/{given[0]}")
        for field in ("Choices", "Catch"):
            for number, rule in enumerate(_listed(state.get(field))):
                if "Next" not in rule:
                    self._add(_SCHEMA, "These fields are required: [Next]", f"{at}/{field}[{number}]")

    def _expressions(self, part: Any, at: str) -> None:
        if isinstance(part, dict):
            for name, value in part.items():
                self._expressions(value, f"{at}/{name}")
        elif isinstance(part, list):
            for number, value in enumerate(part):
                self._expressions(value, f"{at}[{number}]")
        elif isinstance(part, str) and (fault := _fault_of(part)):
            self._add(_SCHEMA, f"The JSONata expression is not valid: {fault}", at)

    def _templates(self, part: Any, at: str) -> None:
        """Report values of `.$` fields that are no path and no intrinsic function."""
        if isinstance(part, list):
            for number, value in enumerate(part):
                self._templates(value, f"{at}[{number}]")
        for name, value in part.items() if isinstance(part, dict) else ():
            if not name.endswith(".$"):
                self._templates(value, f"{at}/{name}")
            elif not isinstance(value, str) or not definition_fields.is_value_of_path(value):
                words = f"The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"
                self._add(_SCHEMA, words, at)

    def _static(self, kind: str, state: Mapping[str, Any], at: str) -> None:
        for field in ("Parameters", "ItemSelector", "ResultSelector", "Assign"):
            self._templates(state.get(field), f"{at}/{field}")
        for field in ("Parameters", "ItemSelector", "ResultSelector"):
            for place, value in _texts(state.get(field), f"{at}/{field}"):
                if value.startswith(_LOOKS_LIKE_A_PATH) and not place.endswith(".$"):
                    words = "No .$ on a field that appears to be a JSONPath or Intrinsic Function."
                    self._add("NO_DOLLAR", words, place, "WARNING")
        if kind == "Pass":
            for place, value in _texts(state.get("Result"), f"{at}/Result"):
                if value.startswith(_LOOKS_LIKE_A_PATH) or place.endswith(".$"):
                    words = "Attempt to use a path in the result of a pass state."
                    self._add("PASS_RESULT_IS_STATIC", words, place, "WARNING")

    def _transitions(self, scope: Mapping[str, Any], states: Mapping[str, Any], at: str) -> None:
        """Report targets outside the scope, unreachable states, and a missing end."""
        reached = set()
        for place, target in _targets(scope, states, at):
            if target in states:
                reached.add(target)
            else:
                self._add(_TARGET, f"Missing 'Next' target: {target}", place)
        if not at and not any(_is_terminal(state) for state in states.values()):
            self._add("MISSING_END_STATE", "Workflow has no terminal state", None)
            return
        for name in states:
            if name not in reached:
                self._add(_TARGET, f'State "{name}" is not reachable.', f"{at}/States/{name}")

    def _add(self, code: str, message: str, location: str | None, severity: str = "ERROR") -> None:
        self.faults.append(Diagnostic(code, message, location, severity))


def _targets(scope: Mapping[str, Any], states: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """Yield the place and target of each reachable transition, and of each to no state."""
    transitions = {
        name: list(_transitions_of(state, f"{at}/States/{name}")) for name, state in states.items()
    }
    yield f"{at}/StartAt", str(scope["StartAt"])
    ahead, seen = [str(scope["StartAt"])], set()
    while ahead:
        name = ahead.pop()
        if name in seen or name not in states:
            continue
        seen.add(name)
        yield from transitions[name]
        ahead += [target for _, target in transitions[name]]
    for name in states:
        if name not in seen:
            yield from ((place, target) for place, target in transitions[name] if target not in states)


def _transitions_of(state: Any, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(state, dict):
        return
    for field in ("Next", "Default"):
        if isinstance(state.get(field), str):
            yield f"{at}/{field}", state[field]
    for field in ("Choices", "Catch"):
        for number, rule in enumerate(_listed(state.get(field))):
            if isinstance(rule.get("Next"), str):
                yield f"{at}/{field}[{number}]/Next", rule["Next"]


def _listed(given: Any) -> list[Mapping[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _inner(state: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in ("ItemProcessor", "Iterator"):
        if isinstance(state.get(name), dict):
            yield name, state[name]
    for number, branch in enumerate(_listed(state.get("Branches"))):
        yield f"Branches[{number}]", branch


def _is_terminal(state: Any) -> bool:
    return isinstance(state, dict) and (state.get("End") is True or state.get("Type") in ("Succeed", "Fail"))


def _texts(part: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _texts(value, f"{at}/{name}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from _texts(value, f"{at}[{number}]")
    elif isinstance(part, str):
        yield at, part


@lru_cache(maxsize=4096)
def _fault_of(text: str) -> str | None:
    if not text.startswith("{%") or not text.endswith("%}"):
        return None
    try:
        AwsJsonata(text[2:-2].strip())
    except (JException, ValueError, LookupError, AttributeError, TypeError) as error:
        return str(error)
    return None
