"""What a definition must fulfil before it is kept: everything that could only go wrong at the first run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from pydantic import BaseModel

from stepward.agents.context_checks import check_context
from stepward.agents.inputs import check_input_schema
from stepward.agents.model_checks import Known, check_model
from stepward.agents.refusals import Entry, entries_of, gathered, of_entries
from stepward.agents.rehearsal_checks import unknown_calls
from stepward.agents.requests import parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.rehearsal import Rehearsal
from stepward.domain.tool_use import ToolUse
from stepward.models.catalog import check_answerable
from stepward.models.expressions import check, is_expression
from stepward.tools.call_checks import check_use
from stepward.tools.catalog import find_tool

DEFINITION_LIMIT_BYTES: Final = 300_000
_OF_A_USE: Final = frozenset({"tool", "name", "config", "retry", "timeout_s"})


def check_agent(
    agent: AgentDefinition,
    http_allow: Sequence[str],
    known: Known | None = None,
) -> None:
    """Refuse what no registry has to be asked for: everything but the agents that this one names."""
    gathered(
        (
            lambda: check_size(agent),
            lambda: check_config(agent),
            lambda: check_resources(agent, http_allow, known),
        )
    )


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
    expressions = [partial(check, expression, field) for expression, field in _expressions(agent.rehearsal)]
    calls = [partial(_refuse, unknown) for unknown in unknown_calls(agent)]
    own = (_check_memory, check_input_schema)
    gathered((*(partial(one, agent) for one in own), *expressions, *calls))


def _check_memory(agent: AgentDefinition) -> None:
    if agent.memory_config.wants_something:
        raise InvalidRequest(
            "this release keeps no memory beyond a run, so `memory_config` could not be honoured.",
            field="memory_config",
            fix="remove it, or leave it empty",
        )


def _refuse(error: InvalidRequest) -> None:
    raise error


def check_resources(
    agent: AgentDefinition,
    http_allow: Sequence[str],
    known: Known | None = None,
) -> None:
    """Refuse a model that cannot do it, a missing backend, unknown tools and settings that this stage does not allow."""
    tools = [partial(_check_tool, use, f"tools.{index}", http_allow) for index, use in enumerate(agent.tools)]
    gathered(
        (
            partial(_check_model, agent, known or Known()),
            partial(check_context, agent, known or Known()),
            *tools,
        )
    )


def _check_model(agent: AgentDefinition, known: Known) -> None:
    """Refuse a model; where nobody could ask it, that it has no price either is not said."""
    try:
        check_answerable(agent)
    except InvalidRequest as nobody:
        further = [one for one in _entries(partial(check_model, agent, known)) if one["field"] != "model"]
        raise of_entries([*entries_of(nobody), *further]) from nobody
    check_model(agent, known)


def _entries(check: Callable[[], None]) -> list[Entry]:
    try:
        check()
    except InvalidRequest as error:
        return entries_of(error)
    return []


def _check_tool(use: ToolUse, field: str, http_allow: Sequence[str]) -> None:
    try:
        tool = find_tool(use.tool)
        settings = parse(tool.settings, use.config)
        tool.check_settings(settings, http_allow)
        check_use(use)
    except InvalidRequest as error:
        placed = [{**one, "field": _placed(field, one["field"])} for one in entries_of(error)]
        raise of_entries(placed) from error


def _placed(use: str, inner: str) -> str:
    """Name a field of a tool's own settings by its place in the agent's file."""
    inner = "tool" if inner == "body" else inner
    return f"{use}.{inner}" if inner.partition(".")[0] in _OF_A_USE else f"{use}.config.{inner}"


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
