"""Make the services of tools, and what a call may reach in the two places where tools run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepward.agents.agent_tools import PublishTools
    from stepward.agents.call_tool import CallTool
    from stepward.runtime.container import Container
    from stepward.tools.base import ToolContext

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class ToolServices:
    """Services of tools, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    def show_all(self) -> list[dict[str, Any]]:
        """List every tool by name: the built-in ones and those of the stage's folders."""
        from stepward.agents.agent_tools import list_tools

        return list_tools(self._ports.published_tools)

    def show(self, name: str) -> dict[str, Any]:
        """Return one tool with the schemas of its settings and of its arguments.

        Args:
            name: Its name, as `calculate`, or `folder.tool` of a folder of tools.

        Raises:
            NotFound: There is no such tool.
        """
        from stepward.agents.agent_tools import show_tool

        return show_tool(self._ports.published_tools, name)

    def inline_context(self, tenant: str, call_id: str) -> ToolContext:
        """Return what a call within the advance may reach: the tenant's data and results only.

        Args:
            tenant: Whose run it is.
            call_id: The call's id, the idempotency key of its effects.
        """
        from stepward.tools.base import ToolContext

        return ToolContext(tenant, call_id, self._ports.datasets, results=self._ports.results)

    def remote_context(self, tenant: str, call_id: str) -> ToolContext:
        """Return what a call in a function of its own may reach.

        Args:
            tenant: Whose run it is.
            call_id: The call's id, the idempotency key of its effects.
        """
        from stepward.tools.base import ToolContext

        return ToolContext(
            tenant,
            call_id,
            self._ports.datasets,
            http_allow=self._container.settings.http_allow,
            results=self._ports.results,
            circuits=self._ports.circuits,
            functions=self._ports.functions,
        )

    def call(self, invocation: str) -> CallTool:
        """Make what carries out a remote call within one invocation.

        Args:
            invocation: The invocation's id, by which the journal tells writers apart.
        """
        from stepward.agents.call_tool import CallTool

        return CallTool(
            journal=self._ports.journal,
            definition=self._container.agents.definition,
            context=self.remote_context,
            invocation=invocation,
        )

    @cached_property
    def publish(self) -> PublishTools:
        """Publishes what the stage's folders of tools offer."""
        from stepward.agents.agent_tools import PublishTools

        folders = tuple(self._container.settings.tool_functions)
        return PublishTools(self._ports.functions, self._ports.published_tools, self._ports.clock, folders)
