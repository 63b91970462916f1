"""Refuses settings that an agent's model cannot serve, each with its field and a fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from stepward.domain.conversation import Effort
from stepward.domain.errors import InvalidRequest
from stepward.domain.model_cards import CacheTtl, ModelCard
from stepward.models.base import ended

SCRIPTED: Final = "scripted"
"""The one backend that replaces every provider."""
LEAST_BUDGET_TOKENS: Final = 1_024
"""The least budget for thinking at Anthropic; it must be below the output's limit."""


@dataclass(frozen=True)
class Wanted:
    """What an agent asks of its model."""

    backend: str | None = None
    max_output_tokens: int = 1
    tools: bool = False
    output_schema: bool = False
    temperature: float | None = None
    effort: Effort | None = None
    thinking: bool | None = None
    cache: CacheTtl | None = None


def refusals(name: str, card: ModelCard, wanted: Wanted) -> Iterator[InvalidRequest]:
    """Yield a refusal for each setting that a model cannot serve.

    Args:
        name: The model as the agent's file names it: an id or an alias.
        card: What is known of it.
        wanted: What is asked of it.

    Returns:
        A refusal for each field.
    """
    for check in _CHECKS:
        if fault := check(card, wanted):
            field, detail, fix = fault
            yield InvalidRequest(f"the model {name!r} {detail}.", field=field, fix=fix)


def check_alive(name: str, card: ModelCard | None, today: date) -> None:
    """Refuse a model that has ended.

    Raises:
        InvalidRequest: Its provider has ended it; the fix names its successor.
    """
    if card is not None and card.ended(today):
        raise ended(name, card)


_Fault = tuple[str, str, str] | None
"""The field, what is wrong with it, and the fix; None where nothing is wrong."""


def _text(card: ModelCard, wanted: Wanted) -> _Fault:
    del wanted
    if card.capabilities.text:
        return None
    return "model", "writes no text", "use fast, balanced, deep or one of GET /models"


def _backend(card: ModelCard, wanted: Wanted) -> _Fault:
    if wanted.backend in (None, SCRIPTED, card.provider):
        return None
    whose = f"is of {card.provider!r}" if card.provider else "is of no known provider"
    return (
        "llm_backend",
        f"{whose}, not of {wanted.backend!r}",
        "remove it: the model's name says whose it is",
    )


def _output(card: ModelCard, wanted: Wanted) -> _Fault:
    most = card.max_output_tokens
    if most is None or not card.capabilities.text or wanted.max_output_tokens <= most:
        return None
    said = f"writes at most {most} tokens, not {wanted.max_output_tokens}"
    return "limits.max_output_tokens", said, f"use at most {most}"


def _tools(card: ModelCard, wanted: Wanted) -> _Fault:
    if not wanted.tools or card.capabilities.tools:
        return None
    return "tools", "calls no tools", "remove the tools, or use another model"


def _schema(card: ModelCard, wanted: Wanted) -> _Fault:
    if not wanted.output_schema or card.capabilities.structured_output:
        return None
    return (
        "output_schema",
        "cannot be held to a schema",
        "remove it, or use another model; GET /models shows which can: `structured_output`",
    )


def _temperature(card: ModelCard, wanted: Wanted) -> _Fault:
    takes = card.capabilities.temperature
    if wanted.temperature is None or takes == "always":
        return None
    if takes == "without_thinking":
        if wanted.thinking is False:
            return None
        return "temperature", "takes a temperature only when it does not think", "set `thinking: false`"
    return (
        "temperature",
        "takes no temperature",
        "remove it; say in the prompt how freely the model may write",
    )


def _effort(card: ModelCard, wanted: Wanted) -> _Fault:
    efforts, wish = card.capabilities.efforts, wanted.effort
    if wish is None:
        return None
    if wish not in efforts:
        known = f"takes no effort {wish!r}" if efforts else "takes no effort"
        return "effort", known, f"use one of: {', '.join(efforts)}" if efforts else "remove it"
    without = card.capabilities.efforts_without_thinking
    if wanted.thinking is False and without is not None and wish not in without:
        fix = f"use one of: {', '.join(without)}; or let it think"
        return "effort", f"takes no effort {wish!r} when it does not think", fix
    return None


def _thinking(card: ModelCard, wanted: Wanted) -> _Fault:
    can = card.capabilities
    if wanted.thinking is True:
        return (
            None if can.thinks else ("thinking", "cannot be told to think", "remove it, or use another model")
        )
    if wanted.thinking is False and not can.can_stop_thinking:
        fix = "remove it, and set a low `effort`" if can.efforts else "remove it, or use another model"
        return "thinking", "cannot be told not to think", fix
    return None


def _budget(card: ModelCard, wanted: Wanted) -> _Fault:
    """Leave tokens for the answer where thinking has a budget of its own."""
    if wanted.thinking is not True or card.capabilities.thinking != ("enabled", "disabled"):
        return None
    if wanted.max_output_tokens > LEAST_BUDGET_TOKENS:
        return None
    said = f"needs more than {LEAST_BUDGET_TOKENS} tokens of output to think"
    return "limits.max_output_tokens", said, f"use at least {2 * LEAST_BUDGET_TOKENS}"


def _cache(card: ModelCard, wanted: Wanted) -> _Fault:
    ttls = card.capabilities.cache_ttls
    if wanted.cache is None or wanted.cache in ttls:
        return None
    fix = f"use {' or '.join(ttls)}, or `off`" if ttls else "use `off`"
    return "cache", f"keeps no prompt for {wanted.cache}", fix


_CHECKS: Final[tuple[Callable[[ModelCard, Wanted], _Fault], ...]] = (
    _text, _backend, _output, _tools, _schema, _temperature, _effort, _thinking, _budget, _cache,
)  # fmt: skip
