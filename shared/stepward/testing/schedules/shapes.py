"""The agents of schedules: what they ask for, turn by turn, and the answer that all of them come to."""

from __future__ import annotations

from typing import Any, Final

from stepward.testing.schedules.payment import CHECKED_PAYMENT

EXPECTED_ANSWER: Final = "the answer"

_SUM: Final = {"tool": "calculate", "arguments": {"expression": "6 * 7"}}
_PAY: Final = {"tool": "payment"}
_ASK: Final = {"tool": "ask_child", "arguments": {"input": "What is it?"}}
_PERSON: Final = {"tool": "ask_person", "arguments": {"question": "May I?"}}
_CHECKED_PAY: Final = {"tool": CHECKED_PAYMENT}
_CHECKED_SUM: Final = {**_SUM, "tool": "checked_sum"}
_CHECKED_ASK: Final = {**_ASK, "tool": "checked_ask"}
_GUARD: Final = {"approval": {"timeout_s": 604_800}}
_ANSWER: Final = {"say": EXPECTED_ANSWER}
SHAPES: Final[dict[str, list[dict[str, Any]]]] = {
    "one turn": [_ANSWER],
    "inline": [{"call": [_SUM, _SUM]}, _ANSWER],
    "remote": [{"call": [_PAY, _PAY]}, _ANSWER],
    "remote twice": [{"call": [_PAY]}, {"call": [_PAY]}, _ANSWER],
    "mixed": [{"call": [_SUM, _PAY]}, _ANSWER],
    "child": [{"call": [_ASK, _PAY]}, _ANSWER],
    "children": [{"call": [_SUM]}, {"call": [_ASK, _ASK]}, _ANSWER],
    "people": [{"call": [_PERSON, _PERSON, _PAY]}, _ANSWER],
    "guards": [{"call": [_CHECKED_PAY, _PAY, _CHECKED_SUM]}, _ANSWER],
    "guarded child": [{"call": [_CHECKED_ASK, _PERSON]}, {"call": [_CHECKED_PAY]}, _ANSWER],
}
CHILD_SHAPES: Final = ("one turn", "inline", "remote", "guards")
_TOOLS: Final[list[dict[str, Any]]] = [
    {"tool": "calculate"},
    {"tool": "payment"},
    {"tool": "ask_person"},
    {"tool": "payment", "name": CHECKED_PAYMENT, **_GUARD},
    {"tool": "calculate", "name": "checked_sum", **_GUARD},
]


def agents_of(
    tenant: str, shape: str, child_shape: str, cost_limit_usd: float | None
) -> list[dict[str, Any]]:
    """Define a tenant's agent after the one that it asks; a cost limit holds for the first one alone."""
    child = f"child-of-{tenant}"
    asks: list[dict[str, Any]] = [
        {"agent": child, "name": "ask_child"},
        {"agent": child, "name": "checked_ask", **_GUARD},
    ]
    own = {} if cost_limit_usd is None else {"limits": {"cost_limit_usd": cost_limit_usd}}
    return [
        _agent(child, child_shape, _TOOLS),
        _agent(f"agent-of-{tenant}", shape, _TOOLS + asks) | own,
    ]


def _agent(agent: str, shape: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"id": agent, "name": shape, "version": "1.0.0", "model": "balanced", "prompt": "Go."}
    return {**body, "tools": tools, "rehearsal": {"turns": SHAPES[shape]}}
