"""The factories of the ports about money, apart from those of runs: a room loads only what it calls."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from stepward.domain.ttl_cache import TtlCache
from stepward.runtime.config import settings
from stepward.runtime.wiring import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stepward.agents.estimate import Estimate
    from stepward.domain.agents import AgentDefinition
    from stepward.domain.attachments import Attachment
    from stepward.domain.runs import Answers
    from stepward.ports.clock import Clock
    from stepward.ports.costs import AgreedPrices, Budgets, CostBook, Prices, PriceStore
    from stepward.ports.events import Events
    from stepward.ports.limits_config import LimitsStore

# ruff: noqa: PLC0415  imports on first use are this module's purpose

PRICES_KEPT_S: Final = 60.0


class RememberedPrices:
    """Agreed prices as they were at most a minute ago; forgets all of them rather than growing without bound."""

    def __init__(self, source: AgreedPrices, clock: Clock) -> None:
        self._source = source
        self._kept: TtlCache[Prices] = TtlCache(PRICES_KEPT_S, lambda: clock.now().timestamp())

    def of(self, tenant: str, models: Iterable[str] = ()) -> Prices:
        """Read the prices that hold for a tenant.

        Args:
            tenant: Whose.
            models: Ids that need a price of their own. Where one has none in what is remembered, the source is read
                anew: it may have got its first one since.
        """
        wanted = tuple(models)
        return self._kept.read(
            tenant,
            lambda: self._source.of(tenant),
            use_if=lambda kept: all(model in kept for model in wanted),
        )


@cache
def limits_store() -> LimitsStore:
    """Limits and budgets as they are set now."""
    from stepward.adapters.aws.configuration import DynamoLimitsConfig

    return DynamoLimitsConfig(settings().need("registry_table"))


@cache
def price_store() -> PriceStore:
    """Agreed prices as they are set now."""
    from stepward.adapters.aws.configuration import DynamoPrices

    return DynamoPrices(settings().need("registry_table"))


@cache
def agreed_prices() -> RememberedPrices:
    """Agreed prices as they were a minute ago, for those who ask at every call."""
    return RememberedPrices(price_store(), clock())


@cache
def budgets() -> Budgets:
    """Counted budgets."""
    from stepward.adapters.aws.budgets import DynamoBudgets

    return DynamoBudgets(settings().need("runtime_table"))


@cache
def cost_book() -> CostBook:
    """The book of costs."""
    from stepward.adapters.aws.cost_book import DynamoCostBook

    return DynamoCostBook(settings().need("runtime_table"))


@cache
def estimate_case() -> Estimate:
    """The use case that says what a run would cost."""
    from stepward.agents.estimate import Estimate
    from stepward.runtime.wiring import limits_config, run_lists

    return Estimate(run_lists(), limits_config(), budgets(), agreed_prices(), clock())


def refuse_over_budget(
    tenant: str, agent: AgentDefinition, given: Any, answers: Answers, attachments: Sequence[Attachment] = ()
) -> None:
    """Refuse a start that could cost too much, for agents that ask for that; others cost nothing here."""
    if agent.limits.refuse_over_budget:
        estimate_case().check(tenant, agent, given, answers, attachments)


def refuse_used_up(tenant: str) -> None:
    """Refuse a workflow's start where nothing is left of a budget that counts all of a tenant's runs."""
    from stepward.agents.budgets import refuse_used_up as refuse
    from stepward.runtime.wiring import limits_config

    refuse(budgets(), limits_config(), clock(), tenant)


@cache
def events() -> Events:
    """The account's event bus."""
    from stepward.adapters.aws.events import EventBridgeEvents

    return EventBridgeEvents()
