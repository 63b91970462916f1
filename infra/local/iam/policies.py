"""Policy documents compiled into predicates, which every call of every function evaluates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from infra.local.iam.conditions import Context, Test, compile_conditions, wildcard

_Match = Callable[[str], bool]
_MAX_REMEMBERED = 4096


class Decision(Enum):
    """Whether a request is allowed, and why."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "no statement allows it"
    DENIED = "a statement denies it"


@dataclass(frozen=True)
class Statement:
    """One compiled statement."""

    denies: bool
    actions: _Match
    resources: _Match
    condition: Test | None

    def applies(self, action: str, resource: str, context: Context) -> bool:
        """Return whether the statement is about this request."""
        if not (self.actions(action) and self.resources(resource)):
            return False
        return self.condition is None or self.condition(context)


class Policies:
    """All statements of one role: a denial wins, and what no statement allows is refused."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Compile the documents."""
        statements = [_compiled(found) for document in documents for found in _statements(document)]
        self._statements = sorted(statements, key=lambda statement: not statement.denies)
        self._is_unconditional = all(statement.condition is None for statement in statements)
        self._remembered: dict[tuple[str, str], Decision] = {}

    def decide(self, action: str, resource: str, context: Callable[[], Context]) -> Decision:
        """Decide on one action and one resource; `context` is called only for conditions."""
        if not self._is_unconditional:
            return self._decide(action, resource, context())
        request = (action, resource)
        found = self._remembered.get(request)
        if found is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[request] = self._decide(action, resource, {})
        return found

    def _decide(self, action: str, resource: str, context: Context) -> Decision:
        for statement in self._statements:
            if statement.applies(action, resource, context):
                return Decision.DENIED if statement.denies else Decision.ALLOWED
        return Decision.NOT_ALLOWED


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _compiled(statement: Mapping[str, Any]) -> Statement:
    block = statement.get("Condition")
    return Statement(
        denies=statement["Effect"] == "Deny",
        actions=_matcher(statement, "Action", ignores_case=True),
        resources=_matcher(statement, "Resource", ignores_case=False),
        condition=compile_conditions(block) if block else None,
    )


def _matcher(statement: Mapping[str, Any], word: str, *, ignores_case: bool) -> _Match:
    """Compile `Action` or `NotAction` (`Resource` or `NotResource`).

    The wildcards of an ARN may match its slashes and colons.
    """
    is_negated = f"Not{word}" in statement
    given = statement[f"Not{word}"] if is_negated else statement[word]
    patterns = [
        wildcard(one, ignores_case=ignores_case) for one in ([given] if isinstance(given, str) else given)
    ]
    return lambda value: any(pattern(value) for pattern in patterns) != is_negated
