"""Options that tasks of any type take in a `Flow`, and how the document has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, TypedDict

from stepward.domain.nearest import nearest
from stepward.domain.retries import Backoff, Retry
from stepward.domain.run_queue import Priority
from stepward.domain.workflows import OnError, RunWhen
from stepward.sdk.errors import BadCall
from stepward.sdk.flow_tasks import Branch, Task, Way, ways
from stepward.sdk.flow_values import Reference, jsonata, plain

Needed: TypeAlias = Task | Branch | str
RetryRule: TypeAlias = int | Retry | Mapping[str, Any]
"""A number is of attempts in all, with growing pauses."""


class Options(TypedDict, total=False):
    """Options of every task."""

    name: str
    description: str
    needs: Needed | Sequence[Needed]
    when: str | Reference
    run_when: RunWhen
    inputs: Mapping[str, Any]
    retry: RetryRule
    on_error: OnError
    fallback: Any
    timeout_s: int
    priority: int
    data: Literal["pii", "redacted"]
    compensate: Mapping[str, Any]
    next: Way | Sequence[Way]
    max_visits: int


class HumanOptions(Options, total=False):
    """Options of a task that asks a person."""

    details: Any
    approvers: Sequence[str]
    not_requester: bool
    form: Sequence[Mapping[str, Any]]
    on_deny: Literal["fail", "continue"]
    reminder_after_s: int
    escalate_after_s: int
    escalate_to: Sequence[str]


class FlowOptions(TypedDict, total=False):
    """Options of the workflow itself."""

    description: str
    tags: Sequence[str]
    input: Mapping[str, Any]
    start: str
    retry: RetryRule
    on_error: OnError
    allow_partial: bool
    max_parallel: int
    timeout_s: int
    priority: Priority
    cost_limit_usd: Decimal | float | str
    policy: Mapping[str, bool]


OPTIONS: Final = frozenset(Options.__annotations__)
HUMAN: Final = frozenset(HumanOptions.__annotations__)
FLOW: Final = frozenset(FlowOptions.__annotations__)


def step(kind: str, *, inputs: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """Describe the task that undoes another one, as `compensate=` takes it.

    Args:
        kind: The task's type.
        inputs: What it is given.
        settings: The fields of its type.

    Returns:
        The task's fields.

    Raises:
        BadCall: A value is not JSON.

    Example:
        >>> step("event", event="order.cancelled", inputs={"order": 7})["with"]
        {'order': 7}
    """
    given = {} if inputs is None else {"with": plain(inputs)}
    return {"id": "undo", "type": kind, **{name: plain(one) for name, one in settings.items()}, **given}


def fields_of(options: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Convert options to a document's fields; the flow adds `needs` itself."""
    check_names(options, known)
    return {
        "with" if name == "inputs" else name: _CONVERTERS.get(name, plain)(value)
        for name, value in options.items()
        if name != "needs"
    }


def check_names(options: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse a misspelt option where it is written, not when the document is checked."""
    for name in options:
        if name not in known:
            near = nearest(name, known)
            fix = f"Did you mean {near!r}?" if near else f"There are {', '.join(sorted(known))}."
            raise BadCall(f"There is no option {name!r}.", fix)


def _retry(rule: Any) -> Any:
    match rule:
        case Retry():
            return rule.model_dump(mode="json", exclude_unset=True)
        case int() if not isinstance(rule, bool):
            return {"strategy": Backoff.EXPONENTIAL.value, "max_attempts": rule}
        case _:
            return plain(rule)


def _fallback(value: Any) -> dict[str, Any]:
    return {"output": plain(value)}


def _money(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else plain(value)


_CONVERTERS: Final[dict[str, Any]] = {
    "when": jsonata,
    "retry": _retry,
    "next": ways,
    "fallback": _fallback,
    "cost_limit_usd": _money,
}
