"""Fills the prompts of agents that name one of the registry: finds the version, its values, and renders them.

A variable's value is, in this order: what the agent's `prompt_variables` say; `agent_id`, `agent_name`, `agent_version` and
`agent_description` of the agent itself; `input`, the whole input; the input's own field of that name; the default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.requests import joined
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.json_text import as_read
from stepward.domain.nearest import did_you_mean
from stepward.domain.prompts import PromptDefinition, PromptReference, ResolvedPrompt, VariableType
from stepward.ports.prompts import PromptRegistry
from stepward.prompts.lookup import find_prompt
from stepward.prompts.render import Renderer

_OF_THE_AGENT: Final = {f"agent_{field}": field for field in ("id", "name", "version", "description")}


@dataclass(frozen=True)
class FillPrompts:
    """Renders the prompt of a run that begins."""

    registry: PromptRegistry
    renderer: Renderer

    def __call__(
        self, tenant: str, agent: AgentDefinition, given: Any, key: str | None
    ) -> ResolvedPrompt | None:
        """Render the prompt that an agent names; None where it has a text of its own.

        Args:
            tenant: Whose run it is.
            agent: The agent's version.
            given: The run's input.
            key: Chooses among the versions of a label, the same for the same key; None takes the heaviest.

        Raises:
            NotFound: There is no such prompt, version or label.
            InvalidRequest: A variable is missing or of another type, or the template cannot be rendered.
        """
        reference = PromptReference.read(agent.prompt)
        if reference is None:
            return None
        try:
            found = find_prompt(self.registry, tenant, reference.prompt, reference.version)
            prompt = found.version_for(key).definition
            text, _ = self.renderer(prompt, dict(_values(prompt, agent, given)))
        except (NotFound, InvalidRequest) as error:
            raise _of_agent(error, agent) from error
        label = found.label.label if found.label else None
        return ResolvedPrompt(id=prompt.id, version=prompt.version, label=label, text=text)

    def check(self, tenant: str, agent: AgentDefinition) -> None:
        """Refuse an agent whose prompt is not there, or takes other values.

        Raises:
            InvalidRequest: With a reason for each field.
        """
        reference = PromptReference.read(agent.prompt)
        if reference is None:
            return
        try:
            found = find_prompt(self.registry, tenant, reference.prompt, reference.version)
        except NotFound as error:
            raise InvalidRequest(
                error.detail, field="prompt", fix=f"{error.fix}; register it first"
            ) from error
        faults = [*_fixed_faults(agent, [one.definition for one in found.versions])]
        if faults:
            raise joined(faults)


def _fixed_faults(agent: AgentDefinition, prompts: Sequence[PromptDefinition]) -> Iterator[InvalidRequest]:
    """Find values that no version has a variable for, and those that one has of another type."""
    known = {name for prompt in prompts for name in prompt.variables}
    for name, value in (agent.prompt_variables or {}).items():
        field = f"prompt_variables.{name}"
        if name not in known:
            fix = did_you_mean(
                name, known, f"use one of {', '.join(sorted(known))}" if known else "leave it out"
            )
            yield InvalidRequest(f"{agent.prompt!r} has no variable {name[:80]!r}.", field=field, fix=fix)
        for prompt in prompts:
            variable = prompt.variables.get(name)
            if variable is not None and not variable.type.fits(value):
                detail = f"{name!r} of {prompt.id} {prompt.version} is {variable.type.value}, not {as_read(value, 60)}."
                yield InvalidRequest(detail, field=field, fix=f"give a value of type {variable.type.value}")


def _values(prompt: PromptDefinition, agent: AgentDefinition, given: Any) -> Iterator[tuple[str, Any]]:
    fixed = agent.prompt_variables or {}
    own = given if isinstance(given, dict) else {}
    for name, variable in prompt.variables.items():
        if name in fixed:
            yield name, fixed[name]
        elif name in _OF_THE_AGENT:
            yield name, getattr(agent, _OF_THE_AGENT[name])
        elif name == "input":
            is_text = variable.type is VariableType.STRING and not isinstance(given, str)
            yield name, json.dumps(given, ensure_ascii=False) if is_text else given
        elif name in own:
            yield name, own[name]


def _of_agent(error: NotFound | InvalidRequest, agent: AgentDefinition) -> NotFound | InvalidRequest:
    """Say of which agent the prompt is, and where a value that is missing belongs."""
    detail = f"the prompt {agent.prompt!r} of agent {agent.id!r} cannot be used: {error.detail}"
    if isinstance(error, NotFound):
        return NotFound(detail, field="prompt", fix=error.fix)
    missing = (error.field or "").startswith("variables.")
    fix = f"{error.fix}, in the run's input or in the agent's `prompt_variables`" if missing else error.fix
    return InvalidRequest(detail, field=error.field, fix=fix, errors=error.errors)
