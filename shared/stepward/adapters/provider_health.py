"""Circuit breakers of providers: failures in a row are counted over all processes.

A success resets the count, and is written only where there was something to count. What failed are calls, not
attempts at them: a run that tries again and again must not open the circuit for all.

    closed ── 5 calls in a row failed within 60 s ──▶ open ── 30 s ──▶ half open: one process probes
      ▲                                               ▲                 │ it failed
      └──────────────── it went well ─────────────────┼─────────────────┘
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from stepward.domain.errors import ProviderThrottled

FAILURES: Final = 5
WINDOW_S: Final = 60
RECOVERY_S: Final = 30
PROBE_S: Final = 60
"""How long others wait for the process that probes; a model may take minutes to answer."""

HEALTH_KEPT_S: Final = 5.0
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True)
class Health:
    """What is known of a provider; times are seconds since 1970, and 0 is never."""

    failed: frozenset[str] = frozenset()
    """The calls that failed in a row."""

    failing_since_s: int = 0
    open_until_s: int = 0
    probe_until_s: int = 0
    aside: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """Which keys are not to be used, and until when."""

    @property
    def has_no_failures(self) -> bool:
        """Whether a success changes nothing."""
        return not (self.failed or self.open_until_s)


class HealthStore(Protocol):
    """Keeps the health of providers.

    Each change returns the health after it, or None where its condition failed.
    """

    def health(self, provider: str) -> Health:
        """Read a provider's health, perhaps as it was a moment ago."""

    def begin(self, provider: str, call: str, now_s: int) -> Health | None:
        """Begin a count with one failed call, unless one is going on or the circuit is open."""

    def count(self, provider: str, call: str, now_s: int) -> Health | None:
        """Add a failed call to the count that is going on; the same call counts once."""

    def open(self, provider: str, seen: Health, until_s: int, now_s: int) -> Health | None:
        """Open the circuit, if its health is still what was seen."""

    def close(self, provider: str, seen: Health, now_s: int) -> Health | None:
        """Close the circuit and forget its failures, if its health is still what was seen."""

    def probe(self, provider: str, seen: Health, until_s: int, now_s: int) -> Health | None:
        """Become the process that probes, if there is none and the circuit is open as was seen."""

    def set_aside(self, provider: str, subject: str, until_s: int, over: list[str], now_s: int) -> Health:
        """Set a key aside for a while, and forget keys for which that time is over."""


@dataclass
class Breaker:
    """The circuit breakers of all providers, as one process sees them."""

    store: HealthStore
    now_s: Callable[[], float]
    _seen: dict[str, tuple[float, Health]] = field(default_factory=dict, init=False, repr=False)

    def health(self, provider: str) -> Health:
        """Return a provider's health as it was at most five seconds ago."""
        until_s, health = self._seen.get(provider, (0.0, Health()))
        if self.now_s() < until_s:
            return health
        return self.keep(provider, self.store.health(provider))

    def keep(self, provider: str, health: Health) -> Health:
        """Cache a health that was read or written."""
        self._seen[provider] = (self.now_s() + HEALTH_KEPT_S, health)
        return health

    def check_open(self, provider: str) -> None:
        """Refuse a call to a provider whose circuit is open."""
        now_s, health = self.now_s(), self.health(provider)
        if health.open_until_s > now_s:
            raise _left_alone(provider, health.open_until_s - now_s)

    def try_half_open(self, provider: str) -> None:
        """Let one call through a circuit whose time is over; the others wait for its outcome."""
        now_s, health = int(self.now_s()), self.health(provider)
        if not health.open_until_s:
            return
        won = self.store.probe(provider, health, now_s + PROBE_S, now_s)
        if won is not None:
            self.keep(provider, won)
            return
        health = self.keep(provider, self.store.health(provider))
        if health.open_until_s:
            waits_s = max(health.open_until_s - now_s, min(HEALTH_KEPT_S, health.probe_until_s - now_s), 1)
            raise _left_alone(provider, waits_s)

    def went_well(self, provider: str) -> None:
        """Forget failures; nothing is written where there are none."""
        health, now_s = self.health(provider), int(self.now_s())
        if health.has_no_failures or health.open_until_s > now_s:
            return  # a success that began before the circuit opened does not close it
        closed = self.store.close(provider, health, now_s)
        self.keep(provider, closed or self.store.health(provider))

    def failed(self, provider: str, call: str) -> None:
        """Count a failure, and open the circuit after the last one that is allowed."""
        health, now_s = self.health(provider), int(self.now_s())
        if health.open_until_s > now_s:
            return
        if health.open_until_s:
            opened = self.store.open(provider, health, now_s + RECOVERY_S, now_s)
            self.keep(provider, opened or self.store.health(provider))
            return
        counted = self._counted(provider, call, health, now_s)
        if counted is not None and len(counted.failed) >= FAILURES:
            counted = self.store.open(provider, counted, now_s + RECOVERY_S, now_s)
        self.keep(provider, counted or self.store.health(provider))

    def _counted(self, provider: str, call: str, health: Health, now_s: int) -> Health | None:
        """Count with the write that is likely to fit first, then with the other.

        What other processes do makes either fail at times.
        """
        is_going_on = health.failing_since_s > now_s - WINDOW_S
        first, second = (self.store.count, self.store.begin)[:: 1 if is_going_on else -1]
        return first(provider, call, now_s) or second(provider, call, now_s)


def _left_alone(provider: str, seconds: float) -> ProviderThrottled:
    seconds = max(1, math.ceil(seconds))
    return ProviderThrottled(
        f"{FAILURES} calls in a row to the provider {provider!r} failed lately and it is left alone; "
        f"try again in {seconds} s.",
        retry_after_s=seconds,
    )
