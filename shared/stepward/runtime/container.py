"""The composition root: one container a process, whose parts are made, and imported, when they are first used.

A function takes what its route needs from `container`, and loads nothing else. Each part is made once; configuration is
read when the first part needs it. A test makes a container of its own, and puts adapters of its choice behind the ports.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stepward.runtime.builders.agent_services import AgentServices
    from stepward.runtime.builders.cost_services import CostServices
    from stepward.runtime.builders.model_services import ModelServices
    from stepward.runtime.builders.ports import Ports
    from stepward.runtime.builders.prompt_services import PromptServices
    from stepward.runtime.builders.run_services import ApprovalServices, RunServices
    from stepward.runtime.builders.tool_services import ToolServices
    from stepward.runtime.builders.trigger_services import TriggerServices
    from stepward.runtime.builders.workflow_run_services import WorkflowRunServices
    from stepward.runtime.builders.workflow_services import WorkflowServices
    from stepward.runtime.config import Settings

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class Container:
    """The adapters and services of one process."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Make a container of which nothing has been used yet.

        Args:
            settings: The configuration; without it the environment is read when a part needs it.
        """
        if settings is not None:
            self.settings = settings

    @cached_property
    def settings(self) -> Settings:
        """The configuration, as the environment says it."""
        from stepward.runtime.config import Settings

        return Settings.of_process()

    @cached_property
    def ports(self) -> Ports:
        """The adapters behind the ports."""
        from stepward.runtime.builders.ports import Ports

        return Ports(self.settings)

    @cached_property
    def agents(self) -> AgentServices:
        """Services that register, show and move agents, and those of a tenant's files and keys."""
        from stepward.runtime.builders.agent_services import AgentServices

        return AgentServices(self)

    @cached_property
    def runs(self) -> RunServices:
        """Services that start, advance, show, control and end runs of agents."""
        from stepward.runtime.builders.run_services import RunServices

        return RunServices(self)

    @cached_property
    def approvals(self) -> ApprovalServices:
        """Services that show approvals, decide them and remind of them."""
        from stepward.runtime.builders.run_services import ApprovalServices

        return ApprovalServices(self)

    @cached_property
    def costs(self) -> CostServices:
        """Services of budgets, prices, costs and estimates."""
        from stepward.runtime.builders.cost_services import CostServices

        return CostServices(self)

    @cached_property
    def models(self) -> ModelServices:
        """What calls models, within the limits of a version of an agent."""
        from stepward.runtime.builders.model_services import ModelServices

        return ModelServices(self)

    @cached_property
    def prompts(self) -> PromptServices:
        """Services that register, show, label and render prompts, and fill those of runs."""
        from stepward.runtime.builders.prompt_services import PromptServices

        return PromptServices(self)

    @cached_property
    def tools(self) -> ToolServices:
        """Services that show, publish and call tools."""
        from stepward.runtime.builders.tool_services import ToolServices

        return ToolServices(self)

    @cached_property
    def triggers(self) -> TriggerServices:
        """Services that define, show, try and fire triggers."""
        from stepward.runtime.builders.trigger_services import TriggerServices

        return TriggerServices(self)

    @cached_property
    def workflows(self) -> WorkflowServices:
        """Services that register, plan, publish, show and remove versions of workflows."""
        from stepward.runtime.builders.workflow_services import WorkflowServices

        return WorkflowServices(self)

    @cached_property
    def workflow_runs(self) -> WorkflowRunServices:
        """Services that start, carry out, show and end runs of workflows."""
        from stepward.runtime.builders.workflow_run_services import WorkflowRunServices

        return WorkflowRunServices(self)


container: Final = Container()
"""The container of this process."""
