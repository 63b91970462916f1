"""Keeps limits for some seconds, so that a start does not read them each time."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.ports.limits_config import LimitsConfig

LIMITS_KEPT_S: Final = 15.0
V = TypeVar("V")


class _Remembered(Generic[V]):
    """Answers by name, each for some seconds."""

    def __init__(self, kept_s: float, now_s: Callable[[], float]) -> None:
        self._kept_s = kept_s
        self._now_s = now_s
        self._answers: dict[str, tuple[float, V]] = {}

    def read(self, name: str, source: Callable[[], V]) -> V:
        """Answer from memory, or ask and remember."""
        now_s = self._now_s()
        if name in self._answers and now_s < self._answers[name][0]:
            return self._answers[name][1]
        fresh = source()
        self._answers[name] = (now_s + self._kept_s, fresh)
        return fresh


class RememberedLimits:
    """Limits as they were at most 15 seconds ago; a change takes that long to reach every function.

    The source is made when it is first asked, so that a room that only ends runs needs no right to read limits.
    """

    def __init__(self, source: Callable[[], LimitsConfig], now_s: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._tenants = _Remembered[TenantLimits](LIMITS_KEPT_S, now_s)
        self._account = _Remembered[AccountLimits](LIMITS_KEPT_S, now_s)

    def tenant(self, tenant: str) -> TenantLimits:
        """Read a tenant's limits."""
        return self._tenants.read(tenant, lambda: self._source().tenant(tenant))

    def account(self) -> AccountLimits:
        """Read the account's limits."""
        return self._account.read("", lambda: self._source().account())
