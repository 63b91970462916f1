"""Budgets limit a tenant's spending in advance: runs draw allowances from them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.errors import BudgetExceeded
from stepward.domain.ids import AgentId
from stepward.domain.money import dollars
from stepward.domain.run_queue import RunBudget

MOST_BUDGET_USD: Final = 1_000_000_000
MOST_BUDGETS: Final = 200
ALERT_PERCENTS: Final = (50, 80, 100)


class BudgetScope(StrEnum):
    """What a budget counts: the costs of a tenant, a day, a month, an agent, or a run.

    The budget of a workflow's run is created with the run from the limit in its document, and is never set
    otherwise.
    """

    TENANT = "tenant"
    DAY = "day"
    MONTH = "month"
    AGENT = "agent"
    RUN = "run"


SETTABLE: Final = tuple(scope for scope in BudgetScope if scope is not BudgetScope.RUN)


class Budget(BaseModel):
    """One limit of the tenant's configuration; `id` names the agent, and is else empty."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    scope: BudgetScope
    id: AgentId | None = None
    limit_usd_micros: int = Field(ge=0, le=MOST_BUDGET_USD * 1_000_000)

    @model_validator(mode="after")
    def _only_an_agents_has_an_id(self) -> Self:
        if (self.scope is BudgetScope.AGENT) != bool(self.id):
            raise ValueError(
                "a budget of scope agent names the agent in `id`, and no other budget has an `id`"
            )
        return self

    def ref(self, at: datetime) -> BudgetRef:
        """Name the item that counts this budget at a time."""
        return BudgetRef(scope=self.scope, id=self.id or "", period=_period(self.scope, at))


class BudgetRef(BaseModel):
    """Names one counted budget of a tenant.

    A new day or month is a new item, which begins full.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    scope: BudgetScope
    id: str = ""
    period: str = ""

    @property
    def item_key(self) -> str:
        """The sort key of its item: `day##2026-11-21`, `agent#support#`, `tenant##`."""
        return f"{self.scope}#{self.id}#{self.period}"

    @property
    def in_words(self) -> str:
        """Name it for people: the day's budget (2026-11-21), the budget of agent support."""
        match self.scope:
            case BudgetScope.AGENT:
                return f"the budget of agent {self.id}"
            case BudgetScope.RUN:
                return f"the cost limit of run {self.id}"
            case _:
                return f"the {self.scope}'s budget" + (f" ({self.period})" if self.period else "")

    @classmethod
    def of(cls, item_key: str) -> Self:
        """Parse what `item_key` wrote."""
        scope, id_, period = item_key.split("#")
        return cls(scope=BudgetScope(scope), id=id_, period=period)


def start_refused(ref: BudgetRef, draw_usd_micros: int | None = None) -> BudgetExceeded:
    """Return the error for a run that does not start, with the budget's name and not its key.

    Args:
        ref: The budget that has too little.
        draw_usd_micros: What the run would have drawn; None where nothing is left at all.

    Returns:
        The refusal, to be raised.
    """
    short = f"has less left than the {dollars(draw_usd_micros or 0)} that a run draws at its start"
    return BudgetExceeded(
        f"{ref.in_words} {'is used up' if draw_usd_micros is None else short}.",
        field="budget",
        fix="raise the budget, or wait for its next period; GET /budgets shows what is left",
    )


def run_budget(run: str, created_at: str, limit_usd_micros: int) -> RunBudget:
    """Make the budget of a workflow's run; its day tells when the table may forget it."""
    ref = BudgetRef(scope=BudgetScope.RUN, id=run, period=created_at[:10])
    return RunBudget(key=ref.item_key, limit_usd_micros=limit_usd_micros)


class BudgetState(BaseModel):
    """The state of a counted budget; committed is what is spent, and what runs hold to spend."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    tenant: str
    ref: BudgetRef
    limit_usd_micros: int
    remaining_usd_micros: int
    alerted_pct: int = 0
    alerts: dict[str, str] = Field(default_factory=dict)
    refused_at: str | None = None

    @property
    def committed_usd_micros(self) -> int:
        """What is spent or held by runs, in micro-dollars.

        It exceeds the limit when a call cost more than was reserved for it.
        """
        return self.limit_usd_micros - self.remaining_usd_micros

    @property
    def percent(self) -> int:
        """The level that is reached: 100 once a run was refused, however little is left."""
        if self.refused_at or self.remaining_usd_micros <= 0:
            return 100
        return min(99, self.committed_usd_micros * 100 // self.limit_usd_micros)

    @property
    def due_alert(self) -> int | None:
        """The highest level that is reached and has no alert yet."""
        reached = [level for level in ALERT_PERCENTS if self.alerted_pct < level <= self.percent]
        return reached[-1] if reached else None

    def with_limit(self, limit_usd_micros: int) -> BudgetState:
        """Return the state under another limit; alerts that no longer hold may be given again."""
        moved = self.remaining_usd_micros + limit_usd_micros - self.limit_usd_micros
        new = {"limit_usd_micros": limit_usd_micros, "remaining_usd_micros": moved, "refused_at": None}
        changed = self.model_copy(update=new)
        still = [level for level in ALERT_PERCENTS if level <= min(self.alerted_pct, changed.percent)]
        return changed.model_copy(update={"alerted_pct": still[-1] if still else 0})


class TenantLimits(BaseModel):
    """What one tenant may do at once and in sum; the defaults hold without a configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    active: int = Field(default=10, strict=True, ge=1, le=100_000)
    shards: int = Field(default=1, strict=True, ge=1, le=64)
    budgets: tuple[Budget, ...] = Field(default=(), max_length=MOST_BUDGETS)

    def budget(self, scope: BudgetScope, id_: str | None) -> Budget | None:
        """Find one budget by what it counts."""
        return next((b for b in self.budgets if (b.scope, b.id) == (scope, id_)), None)

    def with_budget(self, budget: Budget) -> TenantLimits:
        """Replace the budget that counts the same, or add one."""
        return self._checked((*self.without_budget(budget.scope, budget.id).budgets, budget))

    def without_budget(self, scope: BudgetScope, id_: str | None) -> TenantLimits:
        """Remove one budget."""
        return self._checked(tuple(b for b in self.budgets if (b.scope, b.id) != (scope, id_)))

    def _checked(self, budgets: tuple[Budget, ...]) -> TenantLimits:
        return TenantLimits.model_validate({**dict(self), "budgets": budgets})


class AccountLimits(BaseModel):
    """What all tenants together may do at once."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    active: int = Field(default=100, strict=True, ge=1, le=100_000)
    shards: int = Field(default=1, strict=True, ge=1, le=64)


def refs_for(budgets: Iterable[Budget], agent: str, at: datetime) -> list[tuple[BudgetRef, int]]:
    """List the budgets that an agent's run draws from, with limits in micro-dollars."""
    drawn = (b for b in budgets if b.scope is not BudgetScope.AGENT or b.id == agent)
    return [(budget.ref(at), budget.limit_usd_micros) for budget in drawn]


def _period(scope: BudgetScope, at: datetime) -> str:
    day = at.astimezone(UTC).date().isoformat()
    return {BudgetScope.DAY: day, BudgetScope.MONTH: day[:7]}.get(scope, "")
