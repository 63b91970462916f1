"""Registers agents: everything that could only go wrong at the first run is refused here instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from stepward.agents.requests import parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.ids import AGENT_ID_PATTERN, VERSION_PATTERN, check_id
from stepward.domain.rehearsal import Rehearsal
from stepward.domain.tool_use import ToolUse
from stepward.models.base import price_of
from stepward.models.catalog import backend_for
from stepward.models.expressions import check, is_expression
from stepward.ports.clock import Clock, iso
from stepward.ports.registry import RegisteredAgent, Registry
from stepward.tools.catalog import find_tool


@dataclass(frozen=True)
class Register:
    """The use case behind `POST /agents`."""

    registry: Registry
    clock: Clock
    http_allow: Sequence[str]

    def __call__(self, tenant: str, body: Any) -> tuple[RegisteredAgent, bool]:
        """Keep the definition; the second value tells whether it is new."""
        agent = parse(AgentDefinition, body)
        check_agent(agent, self.http_allow)
        offered = RegisteredAgent(definition=agent, created_at=iso(self.clock.now()))
        kept = self.registry.register(tenant, offered)
        return kept, kept is offered


def find_agent(registry: Registry, tenant: str, agent_id: str, version: str | None) -> RegisteredAgent:
    """Read an agent's version, the latest by default; an unknown one is the caller's error."""
    check_id("agent_id", agent_id, AGENT_ID_PATTERN)
    if version is not None:
        check_id("version", version, VERSION_PATTERN)
    found = registry.agent(tenant, agent_id, version)
    if found is None:
        wanted = f"{agent_id!r} version {version}" if version else repr(agent_id)
        raise NotFound(
            f"there is no agent {wanted}.", field="agent_id", fix="GET /agents lists those that exist"
        )
    return found


def check_agent(agent: AgentDefinition, http_allow: Sequence[str]) -> None:
    """Refuse an unpriced model, a missing backend, unknown tools, wrong settings, unreadable expressions."""
    price_of(agent.model)
    backend_for(agent)
    for index, use in enumerate(agent.tools):
        _check_tool(use, f"tools.{index}", http_allow)
    for expression, field in _expressions(agent.rehearsal):
        check(expression, field)


def _check_tool(use: ToolUse, field: str, http_allow: Sequence[str]) -> None:
    try:
        tool = find_tool(use.tool)
        settings = parse(tool.settings, use.config)
        tool.check_settings(settings, http_allow)
    except InvalidRequest as error:
        inner = error.field if error.field not in (None, "body") else "tool"
        at = inner if inner in ("tool", "config.allow") else f"config.{inner}"
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
