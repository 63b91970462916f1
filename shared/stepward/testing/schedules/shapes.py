"""The agents of schedules: their calls by turn, and the answer that they share."""

from __future__ import annotations

from typing import Any, Final

from stepward.testing.schedules.payment import CHECKED_PAYMENT

EXPECTED_ANSWER: Final = "the answer"
LONG: Final = "long"
_SUM: Final = {"tool": "calculate", "arguments": {"expression": "6 * 7"}}
_LONG_SUM: Final = {"tool": "calculate", "arguments": {"expression": " + ".join(["1234.5"] * 50)}}
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
    LONG: [*[{"call": [_LONG_SUM, _LONG_SUM]}] * 6, _ANSWER],
}
REHEARSED: Final = tuple(shape for shape in SHAPES if shape != LONG)
"""Shapes to play without a model: only a model has a window that is too small for a long conversation."""
CHILD_SHAPES: Final = ("one turn", "inline", "remote", "guards")
_TOOLS: Final[list[dict[str, Any]]] = [
    {"tool": "calculate"},
    {"tool": "payment"},
    {"tool": "ask_person"},
    {"tool": "payment", "name": CHECKED_PAYMENT, **_GUARD},
    {"tool": "calculate", "name": "checked_sum", **_GUARD},
]
_MODELS: Final[dict[str, Any]] = {
    "fallbacks": ["gpt-6.1-terra"],
    "context": {"max_tokens": 3_200, "summarise": "fast"},
}
"""Further fields of an agent that models answer: a fall-back, and a window too small for a long conversation."""
_MODEL_LIMITS: Final = {"max_output_tokens": 300}


def agents_of(
    tenant: str, shape: str, child_shape: str, cost_limit_usd: float | None, *, asks_models: bool = False
) -> list[dict[str, Any]]:
    """Return the definitions of a tenant's two agents: the child first.

    A cost limit is the parent's alone. Where models are asked, the rehearsal is what they answer, and the prompt names the
    agent that it belongs to.
    """
    child = f"child-of-{tenant}"
    asks: list[dict[str, Any]] = [
        {"agent": child, "name": "ask_child"},
        {"agent": child, "name": "checked_ask", **_GUARD},
    ]
    agents = [_agent(child, child_shape, _TOOLS), _agent(f"agent-of-{tenant}", shape, _TOOLS + asks)]
    if asks_models:
        agents = [agent | _MODELS | {"prompt": f"Go, {agent['id']}."} for agent in agents]
    limits = _MODEL_LIMITS if asks_models else {}
    own = limits if cost_limit_usd is None else limits | {"cost_limit_usd": cost_limit_usd}
    return [agents[0] | _limited(limits), agents[1] | _limited(own)]


def _limited(limits: dict[str, Any]) -> dict[str, Any]:
    return {"limits": limits} if limits else {}


def _agent(agent: str, shape: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"id": agent, "name": shape, "version": "1.0.0", "model": "balanced", "prompt": "Go."}
    return {**body, "tools": tools, "rehearsal": {"turns": SHAPES[shape]}}
