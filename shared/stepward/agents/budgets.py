"""Set and show what a tenant may spend, and alert when a budget runs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.requests import parse
from stepward.domain.budgets import (
    MOST_BUDGET_USD,
    MOST_BUDGETS,
    SETTABLE,
    Budget,
    BudgetRef,
    BudgetScope,
    BudgetState,
    TenantLimits,
    start_refused,
)
from stepward.domain.errors import InvalidRequest, NotFound, StoreConflict
from stepward.domain.ids import AGENT_ID_PATTERN, check_id
from stepward.domain.money import dollars, usd_to_micros
from stepward.domain.numbers import Exact
from stepward.ports.clock import Clock, iso
from stepward.ports.costs import Budgets, LimitsConfig, LimitsStore
from stepward.ports.triggers import Events

STALE: Final = timedelta(seconds=20)
"""How long a start may use limits that have changed since, with a margin over what processes cache."""
MOST_A_ROUND: Final = 500
EVENT: Final = "system.budget.alert"


class BudgetRequest(BaseModel):
    """The body of `PUT /budgets/{scope}`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    limit_usd: Exact = Field(ge=0, le=MOST_BUDGET_USD, decimal_places=6, allow_inf_nan=False)


@dataclass(frozen=True)
class TenantMoney:
    """The use cases behind `/budgets`."""

    limits: LimitsStore
    budgets: Budgets
    knows_agent: Callable[[str, str], bool]
    clock: Clock

    def show(self, tenant: str) -> dict[str, Any]:
        """Show every budget with what remains of it in its current period."""
        now = self.clock.now()
        limits = {budget.ref(now): budget for budget in self.limits.tenant(tenant).budgets}
        states = self.budgets.states(tenant, limits)
        return {"budgets": [_shown(ref, limits[ref], states.get(ref)) for ref in limits]}

    def put(self, tenant: str, scope: str, id_: str | None, body: Any) -> dict[str, Any]:
        """Set a budget; one that is counted already keeps what was spent."""
        request = parse(BudgetRequest, body)
        kind, id_ = self._named(tenant, scope, id_)
        budget = Budget(scope=kind, id=id_, limit_usd_micros=usd_to_micros(request.limit_usd))
        self._change(tenant, lambda limits: _with_budget(limits, budget))
        for ref in self._refs(budget):
            self.budgets.move_limit(tenant, ref, budget.limit_usd_micros)
        ref = budget.ref(self.clock.now())
        return _shown(ref, budget, self.budgets.states(tenant, [ref]).get(ref))

    def remove(self, tenant: str, scope: str, id_: str | None) -> None:
        """Remove a budget; runs still return what they hold of it."""
        kind = _scope(scope, id_)
        if self.limits.tenant(tenant).budget(kind, id_) is None:
            raise NotFound(
                f"there is no budget {scope}{f' {id_}' if id_ else ''}.",
                field="scope",
                fix="GET /budgets lists those that are set",
            )
        self._change(tenant, lambda limits: limits.without_budget(kind, id_))

    def _named(self, tenant: str, scope: str, id_: str | None) -> tuple[BudgetScope, str | None]:
        """Check that a budget's agent exists: one for an unknown agent would guard nothing."""
        kind = _scope(scope, id_)
        if id_ is None:
            return kind, None
        if not self.knows_agent(tenant, id_):
            raise NotFound(
                f"there is no agent {id_!r}.", field="id", fix="GET /agents lists those that exist"
            )
        return kind, id_

    def _refs(self, budget: Budget) -> set[BudgetRef]:
        """List the periods that a changed limit applies to.

        The next period counts too when it begins before every start knows the new limit.
        """
        now = self.clock.now()
        return {budget.ref(now), budget.ref(now + STALE)}

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def _change(self, tenant: str, change: Callable[[TenantLimits], TenantLimits]) -> None:
        limits, version = self.limits.versioned(tenant)
        changed = change(limits)
        if changed != limits:
            self.limits.change(tenant, changed, version)


class BudgetAlert(BaseModel):
    """One alert as it is published."""

    model_config = ConfigDict(defer_build=True)

    id: str
    tenant: str
    scope: BudgetScope
    budget: str
    period: str
    percent: int
    limit_usd_micros: int
    remaining_usd_micros: int
    refused_at: str | None
    at: str

    @property
    def in_words(self) -> str:
        """Return the alert as one line of a log."""
        return (
            f"{BudgetRef(scope=self.scope, id=self.budget, period=self.period).in_words} is at {self.percent} %: "
            f"{dollars(self.remaining_usd_micros)} of {dollars(self.limit_usd_micros)} are left"
        )


@dataclass(frozen=True)
class AlertBudgets:
    """Checks the budgets that were drawn from, each minute, and alerts once for each level."""

    budgets: Budgets
    events: Events
    clock: Clock

    def __call__(self) -> list[BudgetAlert]:
        """Publish the alerts that are due, and return those published for the first time."""
        given: list[BudgetAlert] = []
        for state in self.budgets.touched(MOST_A_ROUND):
            # A run's own budget is set by its document, and its caller is notified of the end.
            percent = None if state.ref.scope is BudgetScope.RUN else state.due_alert
            if percent and (alert := self._tell(state, percent)):
                given.append(alert)
            self.budgets.clear_touched(state)
        return given

    def _tell(self, state: BudgetState, percent: int) -> BudgetAlert | None:
        """Publish, then record: after a crash between the two it is sent again, with the same id."""
        at = iso(self.clock.now())
        alert = BudgetAlert(
            id=f"{state.tenant}#{state.ref.item_key}#{state.limit_usd_micros}#{percent}",
            budget=state.ref.id,
            percent=percent,
            at=at,
            **state.ref.model_dump(include={"scope", "period"}),
            **state.model_dump(include={"tenant", "limit_usd_micros", "remaining_usd_micros", "refused_at"}),
        )
        self.events.put("stepward", EVENT, alert.model_dump(mode="json", exclude_none=True))
        return alert if self.budgets.alerted(state, percent, at) else None


def _scope(scope: str, id_: str | None) -> BudgetScope:
    if scope not in SETTABLE:
        known = ", ".join(SETTABLE)
        raise InvalidRequest(f"{scope[:80]!r} is no scope.", field="scope", fix=f"use one of: {known}")
    if (scope == BudgetScope.AGENT) != (id_ is not None):
        raise InvalidRequest(
            "a budget of scope agent names the agent, and no other budget has an id.",
            field="id",
            fix="use /budgets/agent/{id}, or /budgets/tenant, /budgets/day, /budgets/month",
        )
    if id_ is not None:
        check_id("id", id_, AGENT_ID_PATTERN)
    return BudgetScope(scope)


def _with_budget(limits: TenantLimits, budget: Budget) -> TenantLimits:
    if len(limits.budgets) >= MOST_BUDGETS and limits.budget(budget.scope, budget.id) is None:
        raise InvalidRequest(
            f"there are {MOST_BUDGETS} budgets, which is the most.", field="scope", fix="delete one first"
        )
    return limits.with_budget(budget)


def _shown(ref: BudgetRef, budget: Budget, state: BudgetState | None) -> dict[str, Any]:
    state = state or BudgetState(
        tenant="",
        ref=ref,
        limit_usd_micros=budget.limit_usd_micros,
        remaining_usd_micros=budget.limit_usd_micros,
    )
    return {
        **ref.model_dump(mode="json"),
        **state.model_dump(include={"limit_usd_micros", "remaining_usd_micros", "alerts", "refused_at"}),
        "committed_usd_micros": state.committed_usd_micros,
        "percent": state.percent,
    }


def refuse_used_up(budgets: Budgets, limits: LimitsConfig, clock: Clock, tenant: str) -> None:
    """Refuse to start a run that draws nothing itself when a budget of the tenant is used up.

    Args:
        budgets: The counted budgets.
        limits: Which budgets the tenant has.
        clock: Which day and month it is.
        tenant: Whose run is to start.

    Raises:
        BudgetExceeded: Nothing is left of the tenant's, the day's or the month's budget.
    """
    now = clock.now()
    every = [one for one in limits.tenant(tenant).budgets if one.scope is not BudgetScope.AGENT]
    limit_of = {one.ref(now): one.limit_usd_micros for one in every}
    states = budgets.states(tenant, limit_of) if limit_of else {}
    for ref, limit in limit_of.items():
        left = states[ref].remaining_usd_micros if ref in states else limit
        if left <= 0:
            budgets.refused(tenant, ref.item_key, iso(now))
            raise start_refused(ref)
