"""Cache what seldom changes: limits for seconds, prices and providers' keys for minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.ttl_cache import TtlCache
from stepward.ports.clock import Clock
from stepward.ports.costs import AgreedPrices, LimitsConfig, Prices
from stepward.ports.providers import ProviderKey, ProviderKeys

LIMITS_KEPT_S: Final = 15.0
PRICES_KEPT_S: Final = 60.0
KEYS_KEPT_S: Final = 300.0


class CachedLimits:
    """Limits as they were at most 15 seconds ago, which is how long a change takes.

    The source is made when it is first asked, so that a function that only ends runs needs no right to read limits.
    """

    def __init__(self, source: Callable[[], LimitsConfig], now_s: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._tenants = TtlCache[TenantLimits](LIMITS_KEPT_S, now_s)
        self._account = TtlCache[AccountLimits](LIMITS_KEPT_S, now_s)

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits."""
        return self._tenants.read(tenant, lambda: self._source().tenant(tenant))

    def account(self) -> AccountLimits:
        """Read the account's limits."""
        return self._account.read("", lambda: self._source().account())


class CachedPrices:
    """Agreed prices as they were at most a minute ago.

    The cache drops all of them rather than growing without bound.
    """

    def __init__(self, source: AgreedPrices, clock: Clock) -> None:
        self._source = source
        self._kept: TtlCache[Prices] = TtlCache(PRICES_KEPT_S, lambda: clock.now().timestamp())

    def of(self, tenant: str, models: Iterable[str] = ()) -> Prices:
        """Read the prices that hold for a tenant.

        Args:
            tenant: Whose.
            models: Ids that need a price of their own. Where one has none in what is cached, the source is read
                again: it may have got its first one since.
        """
        wanted = tuple(models)
        return self._kept.read(
            tenant,
            lambda: self._source.of(tenant),
            use_if=lambda kept: all(model in kept for model in wanted),
        )


class CachedKeys:
    """Keys of providers as they were at most five minutes ago.

    A process reads them once, and a call never does. A key that is taken away goes on for that long where the provider
    still takes it; one that the provider refuses is dropped at once, so that a rotation needs no deployment.
    """

    def __init__(self, source: ProviderKeys, now_s: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._keys = TtlCache[tuple[ProviderKey, ...]](KEYS_KEPT_S, now_s)

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Return the keys for a tenant's calls."""
        # An empty answer is not cached: a key may be set at any moment.
        return self._keys.read(
            _pool(tenant, provider), lambda: self._source.of(tenant, provider), keep_if=bool
        )

    def forget(self, tenant: str, provider: str) -> None:
        """Drop cached keys, so that the next call reads them again."""
        self._keys.forget(_pool(tenant, provider))


def _pool(tenant: str, provider: str) -> str:
    return f"{provider}/{tenant}"
