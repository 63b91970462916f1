"""Holds a rehearsal to the agent that it stands in for: what it calls must be among the agent's tools."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.rehearsal import Rehearsal
from stepward.domain.tool_use import ToolUse


def unknown_calls(agent: AgentDefinition) -> Iterator[InvalidRequest]:
    """Find calls, in every branch of every turn, of tools that the agent has not got.

    A model could make such a call too and would be told; a script that makes one is misspelt, and its run would end as
    COMPLETED without what the call was for.
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
    """Give the field and the name of each call."""
    for index, turn in enumerate(rehearsal.turns if rehearsal else ()):
        at = f"rehearsal.turns.{index}"
        branches = [(f"{at}.choose.{n}", branch) for n, branch in enumerate(turn.choose)]
        for place, reply in ((at, turn), *branches):
            for number, call in enumerate(reply.call):
                yield f"{place}.call.{number}.tool", call.tool


def _fix(agent: AgentDefinition, name: str) -> str:
    if not agent.tools:
        return "the agent has no tools: add it to `tools`, or take the call out"
    meant = _of_that_target(agent, name) or next(iter(get_close_matches(name, _names(agent), n=1)), None)
    hint = f"did you mean {meant!r}? " if meant else ""
    return f"{hint}its tools are called {', '.join(_names(agent))}"


def _names(agent: AgentDefinition) -> list[str]:
    return [use.called for use in agent.tools]


def _of_that_target(agent: AgentDefinition, name: str) -> str | None:
    """Find the tool that means an agent or a workflow, or the function, by the id that stands in the file."""
    plain = name.replace("-", "_")

    def ids(use: ToolUse) -> list[str]:
        told = [use.config.get(key) for key in ("agent", "workflow")]
        return [str(one).replace("-", "_") for one in (*told, use.tool, use.tool.rpartition(".")[2]) if one]

    return next((use.called for use in agent.tools if plain in ids(use)), None)
