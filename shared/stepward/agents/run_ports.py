"""The ports that starting, advancing, waiting and ending runs need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stepward.domain.budgets import refs_for
from stepward.domain.run_queue import Draw, RunBudget
from stepward.ports.approvals import Approvals
from stepward.ports.clock import Clock, Ids
from stepward.ports.costs import LimitsConfig
from stepward.ports.journal import Journal
from stepward.ports.prompts import FillsPrompts, NoPrompts
from stepward.ports.run_lists import RunLists
from stepward.ports.run_machine import RunMachine, Tokens
from stepward.ports.run_queue import Freed, RunQueue, SlotLimits, WakeUps
from stepward.ports.runs import RuntimeState
from stepward.ports.tasks import NoTasks, TaskAnswers
from stepward.ports.workflow_runs import ChildWorkflows, NoWorkflows

FIRST_DRAW_USD_MICROS: Final = 20_000
"""Enough for a usual first call; a larger draw would withhold money that other runs need."""
TENANTS_WOKEN: Final = 25


@dataclass(frozen=True)
class SlotPorts:
    """What runs of either kind need to take slots, to wait for them, and to report free ones."""

    run_queue: RunQueue
    wake_ups: WakeUps
    limits: LimitsConfig

    def slot_limits(self, tenant: str) -> SlotLimits:
        """Return how many runs may be active now."""
        return SlotLimits(self.limits.tenant(tenant), self.limits.account())

    def wake_waiting(self, freed: Freed, tenant: str) -> None:
        """Send wake-ups for queues that wait for a free slot.

        Tenants take turns, for more may wait than are woken at once.
        """
        if freed.tenant_waits:
            self.wake_ups.send(tenant, freed=1)
        if freed.account_waits:
            for other in self.run_queue.waiting_tenants(TENANTS_WOKEN, after=tenant):
                if other != tenant or not freed.tenant_waits:
                    self.wake_ups.send(other, freed=1)


@dataclass(frozen=True)
class RunPorts(SlotPorts):
    """The ports of runs."""

    journal: Journal
    runtime: RuntimeState
    lists: RunLists
    tokens: Tokens
    approvals: Approvals
    machine: RunMachine
    clock: Clock
    ids: Ids
    tasks: TaskAnswers = field(default_factory=NoTasks)
    workflows: ChildWorkflows = field(default_factory=NoWorkflows)
    prompts: FillsPrompts = field(default_factory=NoPrompts)

    def draw(
        self,
        tenant: str,
        agent: str,
        usd_micros: int,
        beside: tuple[RunBudget, ...] = (),
        *,
        charged: bool = True,
    ) -> Draw | None:
        """Return what to draw from which budgets; None where none is set.

        Those of the run's workflows are added. A run that is not charged draws from these alone, which are
        its own limits.
        """
        budgets = self.limits.tenant(tenant).budgets if charged else ()
        found = refs_for(budgets, agent, self.clock.now())
        if not found and not beside:
            return None
        return Draw(
            usd_micros=usd_micros,
            budgets=(*(ref.item_key for ref, _ in found), *(one.key for one in beside)),
            limits_usd_micros=(*(limit for _, limit in found), *(one.limit_usd_micros for one in beside)),
        )

    def first_draw(
        self,
        tenant: str,
        agent: str,
        cost_limit_usd_micros: int,
        beside: tuple[RunBudget, ...] = (),
        *,
        charged: bool = True,
    ) -> Draw | None:
        """Return what a run draws when it begins or continues.

        Within a workflow with a limit it draws nothing: what one agent holds without need, those beside it
        lack.
        """
        if beside:
            return None
        return self.draw(tenant, agent, min(cost_limit_usd_micros, FIRST_DRAW_USD_MICROS), charged=charged)
