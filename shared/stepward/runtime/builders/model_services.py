"""Make what calls models: the providers of the stage, and the limits of an agent's version around them."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stepward.agents.call_limits import CallLimits
    from stepward.models.gateway import Providers
    from stepward.runtime.container import Container

# ruff: noqa: PLC0415  imports on first use: a rehearsed run loads no provider

_MOST_VERSIONS = 128


class ModelServices:
    """What calls models, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def providers(self) -> Providers:
        """Calls real models."""
        from stepward.models.gateway import Providers

        return Providers(
            self._container.settings.providers,
            self._ports.provider_keys,
            self._ports.provider_limits,
            responses=self._ports.response_cache,
        )

    def call_limits(self, tenant: str, agent: str, version: str, rehearsed: bool) -> CallLimits:
        """Return a version of an agent with the backend and the prices that hold now.

        Args:
            tenant: Whose agent it is.
            agent: The agent's id.
            version: Its version.
            rehearsed: Whether the rehearsal answers in place of the model.

        Raises:
            NotFound: There is no such version.
        """
        from stepward.models.cards import unlisted_models

        found = self._container.agents.definition(tenant, agent, version)
        agreed = self._ports.agreed_prices.of(tenant, unlisted_models(found.model, *found.fallbacks))
        return self._bound(tenant, agent, version, rehearsed, frozenset(agreed)).priced(agreed)

    @cached_property
    def _bound(self) -> Callable[[str, str, str, bool, frozenset[str]], CallLimits]:
        return lru_cache(_MOST_VERSIONS)(self._bind)

    def _bind(
        self, tenant: str, agent: str, version: str, rehearsed: bool, agreed: frozenset[str]
    ) -> CallLimits:
        """Bind a version to its backend and prices, once for each set of agreed prices.

        A model that lost its price, or has only just got one, is looked up again.
        """
        from stepward.agents.call_limits import CallLimits

        del agreed
        found = self._container.agents.definition(tenant, agent, version)
        prices = self._ports.agreed_prices.of(tenant)
        return CallLimits.of(
            found, prices, rehearsed=rehearsed, providers=None if rehearsed else self.providers
        )
