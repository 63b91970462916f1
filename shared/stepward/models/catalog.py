"""Which backend carries an agent's model calls."""

from __future__ import annotations

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.models.scripted import ScriptedBackend
from stepward.ports.models import ModelBackend


def backend_for(agent: AgentDefinition) -> ModelBackend:
    """Choose the backend of an agent: its rehearsal, the one kind that this release carries."""
    if agent.rehearsal is None:
        raise InvalidRequest(
            f"agent {agent.id!r} has no rehearsal, and this release carries no provider of {agent.model!r}.",
            field="rehearsal",
            fix="add a `rehearsal` with the replies that stand in for the model",
        )
    return ScriptedBackend(agent.rehearsal)
