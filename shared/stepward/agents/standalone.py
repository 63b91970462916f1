"""Check an agent's definition without a registry, and list what only a server can check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from stepward.agents.agent_references import circle_of, named_by
from stepward.agents.agent_tools import with_snapshots
from stepward.agents.definition_checks import check_agent
from stepward.agents.examining import OF_MODEL, Examined, examine_agent
from stepward.agents.model_checks import ModelCheckContext, ending
from stepward.agents.requests import Entry, entries_of, unreported
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price
from stepward.domain.prompts import PromptReference
from stepward.domain.tools import ToolFolder, ToolUse
from stepward.models.base import model_id, price_of

_ANY_PRICE: Final = Price(
    input_usd_per_mtok=0, output_usd_per_mtok=0, source="known to a server only", as_of="2026-01-01"
)
_REGISTERED: Final = "it is checked when the agent is registered"


@dataclass(frozen=True)
class Findings:
    """The faults of a definition; `unchecked` lists what a server would look up, by `name`."""

    faults: tuple[Entry, ...]
    unchecked: tuple[Entry, ...] = ()


def check_alone(body: Any, published: Callable[[str], ToolFolder | None], today: date) -> Findings:
    """Find the faults of a definition, and the names in it that a server must look up.

    Args:
        body: What its file says.
        published: Gives the functions of a folder of somebody's own.
        today: The day in UTC, by which models have ended or end soon.

    Returns:
        Both. A tool with a fault is not among what is `unchecked`.
    """
    try:
        read = examine_agent(body)
    except InvalidRequest as error:
        return Findings(tuple(entries_of(error)))
    if read.agent is None:
        return Findings(tuple(read.faults))
    found = _found(read.agent, published, today)
    outside = [*_ending(read.agent, today), *_references(read.agent)]
    if any(_is_slip(one) for one in outside):
        found = [one for one in found if one["field"] not in OF_MODEL]
    if any(one["field"] == "model" for one in found):
        outside = [one for one in outside if one["field"] != "model"]
    unchecked = unreported(outside, found)
    return Findings(tuple(_each_once([*read.faults, *read.own(found)])), tuple(_own(read, unchecked)))


def _is_slip(entry: Entry) -> bool:
    """Whether the agent's model may be misspelt: then its abilities and provider are unknown."""
    return entry["code"] == "unchecked-model" and entry["field"] == "model" and "/" not in entry["name"]


def _own(read: Examined, unchecked: list[Entry]) -> list[Entry]:
    return unreported(read.own(unchecked), read.faults)


def _each_once(entries: list[Entry]) -> Iterator[Entry]:
    yield from {(one["field"], one["detail"]): one for one in reversed(entries)}.values()


def _found(agent: AgentDefinition, published: Callable[[str], ToolFolder | None], today: date) -> list[Entry]:
    found: list[Entry] = []
    try:
        agent = with_snapshots(agent, published, None)
    except InvalidRequest as error:
        found += entries_of(error)
    allowed = [name for _, _, name in _outside(agent)]
    try:
        check_agent(
            agent,
            allowed,
            ModelCheckContext({model_id(name): _ANY_PRICE for _, name in _models(agent)}, today),
        )
    except InvalidRequest as error:
        found += unreported(entries_of(error), found)
    if any(one.is_asked and one.wanted.agent == agent.id for one in named_by(agent)):
        found += unreported(entries_of(circle_of(agent, (agent.id, agent.id))), found)
    return found


def _references(agent: AgentDefinition) -> Iterator[Entry]:
    yield from _unpriced(agent)
    for one in named_by(agent):
        if one.wanted.agent != agent.id:
            kind = "agent" if one.is_asked else "handoff"
            yield _unchecked(kind, one.field, one.wanted.agent, one.wanted.version or "")
    if reference := PromptReference.read(agent.prompt):
        yield _unchecked("prompt", "prompt", reference.prompt, reference.version)
    for index, use in enumerate(agent.tools):
        named, version = use.config.get("workflow"), use.config.get("version")
        if "." in use.tool:
            yield _unchecked("tool", f"tools.{index}.tool", use.tool)
        elif use.tool == "workflow" and isinstance(named, str):
            yield _unchecked("workflow", f"tools.{index}.config.workflow", named, str(version or ""))
    for kind, field, name in _outside(agent):
        yield _unchecked(kind, field, name)


_UNCHECKED: Final = {
    "agent": "whether there is an agent {!r}, only a server knows",
    "handoff": "whether there is an agent {!r}, only a server knows",
    "workflow": "whether there is a workflow {!r}, only a server knows",
    "prompt": "whether there is a prompt {!r}, only a server knows",
    "tool": "whether a function {!r} is published, only a server knows",
    "host": "whether agents may reach {!r}, only a server knows",
    "function": "whether agents may call {!r}, only a server knows",
}


def _unchecked(kind: str, field: str, name: str, version: str = "") -> Entry:
    fix = "it is looked for when a run needs it" if kind in ("handoff", "workflow") else _REGISTERED
    said = {"code": f"unchecked-{kind}", "field": field, "detail": _UNCHECKED[kind].format(name), "fix": fix}
    return {**said, "name": name, **({"version": version} if version else {})}


def _models(agent: AgentDefinition) -> Iterator[tuple[str, str]]:
    """Yield the models that an agent names, each with its field."""
    yield "model", agent.model
    yield from ((f"fallbacks.{index}", name) for index, name in enumerate(agent.fallbacks))
    if agent.context and agent.context.summariser:
        yield "context.summarise", agent.context.summariser


def _unpriced(agent: AgentDefinition) -> Iterator[Entry]:
    """Warn of models that are not in the list: a tenant may have an agreed price for them."""
    for place, name in _models(agent):
        try:
            price_of(name)
        except InvalidRequest as error:
            (told,) = entries_of(error)
            yield {**told, "code": "unchecked-model", "field": place, "name": name}


def _ending(agent: AgentDefinition, today: date) -> Iterator[Entry]:
    """Warn of models that end within 60 days."""
    for place, name, card in ending(agent, today):
        fix = f"move to {card.successor!r} before" if card.successor else "choose another one before"
        detail = f"the model {name!r} ends on {card.ends_on}"
        yield {"code": "model-ends-soon", "field": place, "detail": detail, "fix": fix, "name": name}


def _outside(agent: AgentDefinition) -> Iterator[tuple[str, str, str]]:
    """Yield what a stage must allow: its kind, the field, and its name on the stage's list."""
    for index, use in enumerate(agent.tools):
        for kind, field, name in _reached(use):
            if isinstance(name, str):
                yield kind, f"tools.{index}.config.{field}", name


def _reached(use: ToolUse) -> Iterator[tuple[str, str, Any]]:
    match use.tool:
        case "http_get":
            entries = use.config.get("allow")
            yield from (("host", "allow", one) for one in (entries if isinstance(entries, list) else ()))
        case "http_request":
            yield "host", "url", use.config.get("url")
        case "lambda_function":
            yield "function", "function", f"lambda:{use.config.get('function')}"
