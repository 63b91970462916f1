"""Make the services of money: budgets, limits, prices, costs and estimates."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepward.agents.budgets import AlertBudgets, TenantMoney
    from stepward.agents.costs import ShowCosts, ShowModels, TenantPrices
    from stepward.agents.estimate import Estimate, Estimated
    from stepward.agents.run_limits import RunLimits
    from stepward.domain.agents import AgentDefinition
    from stepward.domain.attachments import Attachment
    from stepward.domain.runs import Answers
    from stepward.runtime.container import Container

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class CostServices:
    """Services of money, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def budgets(self) -> TenantMoney:
        """Shows, sets and removes a tenant's budgets."""
        from stepward.agents.budgets import TenantMoney

        return TenantMoney(self._ports.limits_store, self._ports.budgets, self._has_agent, self._ports.clock)

    def _has_agent(self, tenant: str, agent: str) -> bool:
        return self._ports.registry.agent(tenant, agent) is not None

    @cached_property
    def alerts(self) -> AlertBudgets:
        """Puts an event for each budget that has passed a threshold."""
        from stepward.agents.budgets import AlertBudgets

        return AlertBudgets(self._ports.budgets, self._ports.account_bus, self._ports.clock)

    @cached_property
    def run_limits(self) -> RunLimits:
        """Shows and sets how many runs may be active at once."""
        from stepward.agents.run_limits import RunLimits

        return RunLimits(self._ports.limits_store)

    @cached_property
    def prices(self) -> TenantPrices:
        """Shows, sets and removes agreed prices."""
        from stepward.agents.costs import TenantPrices

        return TenantPrices(self._ports.price_store)

    @cached_property
    def models(self) -> ShowModels:
        """Shows models with what they can do and cost."""
        from stepward.agents.costs import ShowModels

        return ShowModels(self._ports.price_store, self._ports.clock)

    @cached_property
    def show(self) -> ShowCosts:
        """Adds up booked costs."""
        from stepward.agents.costs import ShowCosts

        return ShowCosts(self._ports.cost_book, self._ports.clock)

    @cached_property
    def estimate(self) -> Estimate:
        """Estimates what a run would cost."""
        from stepward.agents.estimate import Estimate

        return Estimate(
            self._ports.run_lists,
            self._ports.limits,
            self._ports.budgets,
            self._ports.agreed_prices,
            self._ports.clock,
        )

    def estimate_start(self, tenant: str, agent_id: str, body: Any) -> Estimated:
        """Estimate what a start of an agent's run would cost; nothing is started.

        Args:
            tenant: Who would start it.
            agent_id: The agent.
            body: The body of the start.

        Raises:
            InvalidRequest: The body would not start a run.
            NotFound: There is no such agent, version or file.
        """
        from stepward.agents.lookup import find_agent
        from stepward.agents.requests import parse
        from stepward.agents.run_inputs import attachments_of
        from stepward.agents.start import StartRequest
        from stepward.runtime.builders.deferred_prompts import DeferredPrompts

        request = parse(StartRequest, body)
        agent = find_agent(self._ports.registry, tenant, agent_id, request.version).definition
        answers = self._container.agents.stage_answers.choose(agent, request)
        attachments = attachments_of(self._ports.datasets, tenant, request.attachments)
        prompt = DeferredPrompts(self._container)(tenant, agent, request.input, None)
        return self.estimate(tenant, agent.with_prompt(prompt), request.input, answers, attachments)

    def refuse_over_budget(
        self,
        tenant: str,
        agent: AgentDefinition,
        given: Any,
        answers: Answers,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """Refuse a start that could cost more than is left, for agents that ask for that.

        Args:
            tenant: Who starts.
            agent: The version that is started.
            given: The run's input.
            answers: Whether the rehearsal or the model answers.
            attachments: The files that the start names.

        Raises:
            BudgetExceeded: A budget has less left than the run could cost.
        """
        if agent.limits.refuse_over_budget:
            self.estimate.check(tenant, agent, given, answers, attachments)

    def refuse_used_up(self, tenant: str) -> None:
        """Refuse a workflow's start where a budget that counts all of a tenant's runs is used up.

        Args:
            tenant: Who starts.

        Raises:
            BudgetExceeded: Nothing is left of such a budget.
        """
        from stepward.agents.budgets import refuse_used_up

        refuse_used_up(self._ports.budgets, self._ports.limits, self._ports.clock, tenant)
