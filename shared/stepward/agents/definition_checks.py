"""Check a definition before it is stored for what could only fail at the first run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from pydantic import BaseModel

from stepward.agents.context import window_tokens
from stepward.agents.model_checks import ModelCheckContext, check_model
from stepward.agents.requests import Entry, entries_of, gathered, joined, of_entries, parse
from stepward.agents.run_inputs import check_input_schema
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.nearest import nearest
from stepward.domain.scripted_model import Rehearsal
from stepward.domain.tools import ToolUse
from stepward.expressions.evaluate import check, is_expression
from stepward.models.base import model_id, price_of
from stepward.models.capability_checks import Wanted, check_alive, refusals
from stepward.models.cards import card_of
from stepward.models.catalog import check_answerable
from stepward.tools.arguments import check_use
from stepward.tools.catalog import find_tool

_USUAL_BYTES_A_TOKEN: Final = 3.6


def check_context(agent: AgentDefinition, known: ModelCheckContext) -> None:
    """Refuse a prompt that leaves no space for a conversation, and an unusable summary model.

    Args:
        agent: The definition.
        known: The prices and the day.

    Raises:
        InvalidRequest: With a reason for each field.
    """
    found = [*_window_faults(agent, known), *_summary_faults(agent, known)]
    if found:
        raise joined(found)


def _window_faults(agent: AgentDefinition, known: ModelCheckContext) -> Iterator[InvalidRequest]:
    window = window_tokens(agent.model_copy(update={"context": None}), known.agreed)
    own = agent.context.max_tokens if agent.context else None
    if window is not None and window <= 0:
        yield InvalidRequest(
            f"an answer of {agent.limits.max_output_tokens} tokens leaves no room for a prompt.",
            field="limits.max_output_tokens",
            fix="use less, or a model with a larger window",
        )
        return
    if own is not None and window is not None and own > window:
        yield InvalidRequest(
            f"the agent's models have room for {window} tokens of prompt beside the answer, not for {own}.",
            field="context.max_tokens",
            fix=f"use at most {window}, or remove it",
        )
        return
    least = round(len(agent.prompt.encode()) / _USUAL_BYTES_A_TOKEN)
    room = own if own is not None else window
    if room is not None and least >= room:
        yield InvalidRequest(
            f"the prompt alone takes about {least} tokens, and there is room for {room}.",
            field="prompt" if own is None else "context.max_tokens",
            fix="say less, or use a model with a larger window" if own is None else f"use more than {least}",
        )


def _summary_faults(agent: AgentDefinition, known: ModelCheckContext) -> Iterator[InvalidRequest]:
    name = agent.context.summariser if agent.context else None
    if name is None:
        return
    try:
        card = card_of(name, known.agreed)
        if known.today is not None:
            check_alive(name, card, known.today)
        price_of(name, known.agreed)
    except InvalidRequest as error:
        yield InvalidRequest(error.detail, field="context.summarise", fix=error.fix)
        return
    if card is None:
        return
    if known.providers is not None and card.provider not in known.providers and agent.rehearsal is None:
        yield InvalidRequest(
            f"the model {name!r} is of a provider that this stage has not.",
            field="context.summarise",
            fix=f"use a model of {', '.join(sorted(known.providers))}, such as fast",
        )
    for fault in refusals(model_id(name), card, Wanted()):
        yield InvalidRequest(fault.detail, field="context.summarise", fix="use another model, such as fast")


def unknown_calls(agent: AgentDefinition) -> Iterator[InvalidRequest]:
    """Find calls, in every branch of every turn, of tools that the agent does not have.

    A model's call of that kind would be answered with an error; a script that makes one is misspelt, and its
    run would end as COMPLETED without what the call was for.
    """
    known = {use.called for use in agent.tools}
    for field, name in _calls(agent.rehearsal):
        if name not in known:
            yield InvalidRequest(
                f"the rehearsal calls {name!r}, but the agent has no tool of that name.",
                field=field,
                fix=_fix(agent, name),
            )


def _calls(rehearsal: Rehearsal | None) -> Iterator[tuple[str, str]]:
    """Yield the field and the name of each call."""
    for index, turn in enumerate(rehearsal.turns if rehearsal else ()):
        at = f"rehearsal.turns.{index}"
        branches = [(f"{at}.choose.{n}", branch) for n, branch in enumerate(turn.choose)]
        for place, reply in ((at, turn), *branches):
            for number, call in enumerate(reply.call):
                yield f"{place}.call.{number}.tool", call.tool


def _fix(agent: AgentDefinition, name: str) -> str:
    if not agent.tools:
        return "the agent has no tools: add it to `tools`, or take the call out"
    meant = _of_that_target(agent, name) or nearest(name, _names(agent))
    hint = f"did you mean {meant!r}? " if meant else ""
    return f"{hint}its tools are called {', '.join(_names(agent))}"


def _names(agent: AgentDefinition) -> list[str]:
    return [use.called for use in agent.tools]


def _of_that_target(agent: AgentDefinition, name: str) -> str | None:
    """Find the tool that calls an agent, a workflow or a function, by that id."""
    plain = name.replace("-", "_")

    def ids(use: ToolUse) -> list[str]:
        told = [use.config.get(key) for key in ("agent", "workflow")]
        return [str(one).replace("-", "_") for one in (*told, use.tool, use.tool.rpartition(".")[2]) if one]

    return next((use.called for use in agent.tools if plain in ids(use)), None)


DEFINITION_LIMIT_BYTES: Final = 300_000
_OF_A_USE: Final = frozenset({"tool", "name", "config", "retry", "timeout_s"})


def check_agent(
    agent: AgentDefinition,
    http_allow: Sequence[str],
    known: ModelCheckContext | None = None,
) -> None:
    """Check everything that needs no registry: all but the agents that this one names."""
    gathered(
        (
            lambda: check_size(agent),
            lambda: check_config(agent),
            lambda: check_resources(agent, http_allow, known),
        )
    )


def check_size(agent: AgentDefinition) -> None:
    """Refuse a definition that is too large for an item of the registry."""
    size = len(agent.model_dump_json(exclude_defaults=True).encode())
    if size > DEFINITION_LIMIT_BYTES:
        raise InvalidRequest(
            f"the definition has {size} bytes.",
            field="body",
            fix=f"keep it under {DEFINITION_LIMIT_BYTES} bytes",
        )


def check_config(agent: AgentDefinition) -> None:
    """Refuse settings that would have no effect, and expressions that cannot be parsed."""
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
    known: ModelCheckContext | None = None,
) -> None:
    """Refuse unfit models, missing backends, unknown tools, and settings the stage forbids."""
    tools = [partial(_check_tool, use, f"tools.{index}", http_allow) for index, use in enumerate(agent.tools)]
    gathered(
        (
            partial(_check_model, agent, known or ModelCheckContext()),
            partial(check_context, agent, known or ModelCheckContext()),
            *tools,
        )
    )


def _check_model(agent: AgentDefinition, known: ModelCheckContext) -> None:
    """Refuse a model; a missing price is not reported where no provider offers the model."""
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
    """Prefix a field of a tool's settings with its path in the agent's file."""
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
