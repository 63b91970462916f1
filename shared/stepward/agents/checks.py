"""What a definition must fulfil before it is kept: everything that could only go wrong at the first run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from stepward.agents.rehearsal_checks import unknown_calls
from stepward.agents.requests import parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price
from stepward.domain.rehearsal import Rehearsal
from stepward.domain.tool_use import ToolUse
from stepward.models.abilities import check_abilities
from stepward.models.base import price_of
from stepward.models.catalog import backend_for
from stepward.models.expressions import check, is_expression
from stepward.tools.call_checks import check_use
from stepward.tools.catalog import find_tool

DEFINITION_LIMIT_BYTES: Final = 300_000
_OF_A_USE: Final = frozenset({"tool", "name", "config", "retry", "timeout_s"})


def check_agent(agent: AgentDefinition, http_allow: Sequence[str]) -> None:
    """Refuse what no registry has to be asked for: everything but the agents that this one names."""
    check_size(agent)
    check_config(agent)
    check_resources(agent, http_allow)


def check_size(agent: AgentDefinition) -> None:
    """Refuse a definition that no item of the registry could hold."""
    size = len(agent.model_dump_json(exclude_defaults=True).encode())
    if size > DEFINITION_LIMIT_BYTES:
        raise InvalidRequest(
            f"the definition has {size} bytes.",
            field="body",
            fix=f"keep it under {DEFINITION_LIMIT_BYTES} bytes",
        )


def check_config(agent: AgentDefinition) -> None:
    """Refuse settings that nothing would honour, and expressions that cannot be read."""
    if agent.memory_config.wants_something:
        raise InvalidRequest(
            "this release keeps no memory beyond a run, so `memory_config` could not be honoured.",
            field="memory_config",
            fix="remove it, or leave it empty",
        )
    check_abilities(agent)
    for expression, field in _expressions(agent.rehearsal):
        check(expression, field)
    for unknown in unknown_calls(agent):
        raise unknown


def check_resources(
    agent: AgentDefinition, http_allow: Sequence[str], agreed: Mapping[str, Price] | None = None
) -> None:
    """Refuse an unpriced model, a missing backend, unknown tools and settings that this stage does not allow."""
    price_of(agent.model, agreed)
    backend_for(agent)
    for index, use in enumerate(agent.tools):
        _check_tool(use, f"tools.{index}", http_allow)


def _check_tool(use: ToolUse, field: str, http_allow: Sequence[str]) -> None:
    try:
        tool = find_tool(use.tool)
        settings = parse(tool.settings, use.config)
        tool.check_settings(settings, http_allow)
        check_use(use)
    except InvalidRequest as error:
        inner = error.field if error.field not in (None, "body") else "tool"
        at = inner if inner.partition(".")[0] in _OF_A_USE else f"config.{inner}"
        raise InvalidRequest(error.detail, field=f"{field}.{at}", fix=error.fix) from error


def _expressions(rehearsal: Rehearsal | None) -> Iterator[tuple[str, str]]:
    for index, turn in enumerate(rehearsal.turns if rehearsal else []):
        yield from _walk(turn, f"rehearsal.turns.{index}")


def _walk(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, f"{field}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{field}.{index}")
    elif is_expression(value):
        yield value, field
