"""Chooses among a provider's keys, whose calls a minute are counted over all processes.

A call takes one conditional write where its provider's entry has limits, and none where it has not. A process that has
seen a key full does not ask again in that minute.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

from stepward.adapters.provider_health import Breaker, Health, HealthStore
from stepward.domain.errors import ProviderThrottled, StepwardError
from stepward.ports.clock import Clock
from stepward.ports.providers import OWN_ROLE, PlannedCall, ProviderEntry, ProviderKey

REFUSED_S: Final = 300
THROTTLED_S: Final = 2
"""How long a key is set aside where its provider has not said how long."""
LONGEST_THROTTLE_S: Final = 300
SPREAD_S: Final = 5.0
"""Waits for the next minute are spread, so that not all end in its first second."""

MOST_ASIDE: Final = 100
MINUTE_S: Final = 60
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Count:
    """The use of a key in a minute; `is_taken` says whether the call that asked is counted."""

    is_taken: bool
    requests: int = 0
    tokens: int = 0


class LimitStore(HealthStore, Protocol):
    """Keeps the counts of minutes, and the health of providers."""

    def take(self, entry: ProviderEntry, key: str, minute: int, tokens: int) -> Count:
        """Count a call if the limits of the key allow it in a minute.

        Args:
            entry: Whose limits hold.
            key: The key's fingerprint.
            minute: Minutes since 1970.
            tokens: What is added; below 0 where an earlier call took less than was thought.
        """


@dataclass
class SharedLimits:
    """Rate limits and circuit breakers; `store` keeps what all processes know."""

    store: LimitStore
    clock: Clock
    spread_s: Callable[[], float] = lambda: random.uniform(0, SPREAD_S)  # noqa: S311  keeps no secret
    breaker: Breaker = field(init=False)
    # What this process last read of a key's minute, and how many tokens its calls counted too much.
    _counts: dict[tuple[str, str], tuple[int, Count]] = field(default_factory=dict, init=False, repr=False)
    _credits: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Create the circuit breakers over the same store and clock."""
        self.breaker = Breaker(self.store, self._now_s)

    def admit(self, call: PlannedCall, keys: Sequence[ProviderKey]) -> ProviderKey:
        """Choose a key and count the call."""
        self.breaker.check_open(call.entry.name)
        health = self.breaker.health(call.entry.name)
        waits: list[tuple[float, bool]] = []
        for key in sorted(keys or (OWN_ROLE,), key=lambda key: self._refused_until_s(health, call, key)):
            busy_s = health.aside.get(_subject("busy", key, call), 0) - self._now_s()
            if busy_s > 0:
                waits.append((busy_s, False))
            elif self._takes(call, key):
                self.breaker.try_half_open(call.entry.name)
                return key
            else:
                waits.append((MINUTE_S - self._now_s() % MINUTE_S + self.spread_s(), True))
        seconds, is_ours = min(waits)
        raise _full(call, seconds, is_ours=is_ours)

    def answered(self, call: PlannedCall, key: ProviderKey, tokens: int) -> None:
        """Record a success, and credit unused tokens to the process's next call of that minute."""
        minute, known = self._credits.get(self._place(call, key), (0, 0))
        if minute == self._minute():
            self._credits[self._place(call, key)] = (minute, known + self._weight(call) - tokens)
        with _noted(call):
            self.breaker.went_well(call.entry.name)

    def failed(self, call: PlannedCall) -> None:
        """Record a failure."""
        with _noted(call):
            self.breaker.failed(call.entry.name, _short(call.name))

    def throttled(self, call: PlannedCall, key: ProviderKey, retry_after_s: float | None) -> None:
        """Set a key aside for a model, for as long as its provider asked."""
        seconds = min(LONGEST_THROTTLE_S, THROTTLED_S if retry_after_s is None else retry_after_s)
        if seconds >= 1:  # what is over before others hear of it is not written
            self._set_aside(call, _subject("busy", key, call), seconds)

    def refused(self, call: PlannedCall, key: ProviderKey, *, of_model: bool) -> None:
        """Prefer other keys for some minutes; where there is none, this one is tried again."""
        subject = _subject("refused", key, call) if of_model else _subject("refused", key)
        self._set_aside(call, subject, REFUSED_S)

    def _takes(self, call: PlannedCall, key: ProviderKey) -> bool:
        entry, place, minute = call.entry, self._place(call, key), self._minute()
        if entry.requests_per_minute is None and entry.tokens_per_minute is None:
            return True
        of_minute, unspent = self._credits.get(place, (minute, 0))
        tokens = self._weight(call) - (unspent if of_minute == minute else 0)
        of_minute, known = self._counts.get(place, (minute, Count(is_taken=False)))
        if of_minute == minute and not _fits(entry, known, tokens):
            return False
        count = self.store.take(entry, key.fingerprint, minute, tokens)
        self._counts[place] = (minute, count)
        if count.is_taken:
            self._credits[place] = (minute, 0)
        return count.is_taken

    def _set_aside(self, call: PlannedCall, subject: str, seconds: float) -> None:
        provider, now_s = call.entry.name, int(self._now_s())
        with _noted(call):
            aside = self.breaker.health(provider).aside
            over = [name for name, until_s in aside.items() if until_s <= now_s]
            if len(aside) - len(over) >= MOST_ASIDE:
                _LOG.warning("no more keys of %s are set aside: %s are already", provider, MOST_ASIDE)
                return
            until_s = math.ceil(self._now_s() + seconds)
            self.breaker.keep(provider, self.store.set_aside(provider, subject, until_s, over, now_s))

    def _refused_until_s(self, health: Health, call: PlannedCall, key: ProviderKey) -> int:
        subjects = (_subject("refused", key), _subject("refused", key, call))
        until_s = max(health.aside.get(subject, 0) for subject in subjects)
        return until_s if until_s > self._now_s() else 0

    def _weight(self, call: PlannedCall) -> int:
        """Return the tokens to count: at most those of a whole minute."""
        most = call.entry.tokens_per_minute
        return call.tokens if most is None else min(call.tokens, most)

    def _place(self, call: PlannedCall, key: ProviderKey) -> tuple[str, str]:
        return call.entry.name, key.fingerprint

    def _minute(self) -> int:
        return int(self._now_s() // MINUTE_S)

    def _now_s(self) -> float:
        return self.clock.now().timestamp()


def _fits(entry: ProviderEntry, count: Count, tokens: int) -> bool:
    if entry.requests_per_minute is not None and count.requests >= entry.requests_per_minute:
        return False
    return entry.tokens_per_minute is None or count.tokens + tokens <= entry.tokens_per_minute


def _subject(why: str, key: ProviderKey, call: PlannedCall | None = None) -> str:
    """Return the name of a key, or of a key for one model, in a bounded length."""
    return f"{why}_{key.fingerprint}" + (f"_{_short(call.model)}" if call else "")


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def _full(call: PlannedCall, waits_s: float, *, is_ours: bool) -> ProviderThrottled:
    seconds = max(1, math.ceil(waits_s))
    return ProviderThrottled(
        f"every key of the provider {call.entry.name!r} is at its limit now, by this stage's `requests_per_minute` and "
        f"`tokens_per_minute` or by the provider's own word; try again in {seconds} s.",
        retry_after_s=seconds,
        is_ours=is_ours,
    )


@contextmanager
def _noted(call: PlannedCall) -> Iterator[None]:
    """Log a failed record of a call instead of losing the call to it."""
    try:
        yield
    except StepwardError as error:
        _LOG.warning(
            "a call of %s stays unnoted in the limits: %s: %s", call.entry.name, error.code, error.detail
        )
