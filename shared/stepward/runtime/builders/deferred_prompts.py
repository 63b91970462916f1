"""Reach the prompt registry from runs of agents; what that needs is loaded when the first of them names a prompt.

Most agents have a text of their own, and the template engine takes time to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepward.domain.agents import AgentDefinition
    from stepward.domain.prompts import ResolvedPrompt
    from stepward.runtime.container import Container

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class DeferredPrompts:
    """What fills the prompts that agents name."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def __call__(
        self, tenant: str, agent: AgentDefinition, given: Any, key: str | None
    ) -> ResolvedPrompt | None:
        """Render the prompt that an agent names; None where it has a text of its own."""
        from stepward.domain.prompts import PromptReference

        if PromptReference.read(agent.prompt) is None:
            return None
        return self._container.prompts.fill(tenant, agent, given, key)

    def check(self, tenant: str, agent: AgentDefinition) -> None:
        """Refuse an agent whose prompt is not there, or takes other values."""
        from stepward.domain.prompts import PromptReference

        if PromptReference.read(agent.prompt) is not None:
            self._container.prompts.fill.check(tenant, agent)
