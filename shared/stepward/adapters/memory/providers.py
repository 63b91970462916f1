"""Keys, counts and health of providers in dictionaries, with the same conditions as the table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import RLock

from stepward.adapters.provider_health import WINDOW_S, Health
from stepward.adapters.provider_limits import Count
from stepward.domain.provider_pools import Pool, pool_name, read_pool
from stepward.ports.providers import SHARED, ProviderEntry, ProviderKey, keys_of


@dataclass
class MemoryPools:
    """Keeps pools by their names, as `anthropic/shared`."""

    texts: dict[str, str] = field(default_factory=dict, repr=False)

    def read(self, provider: str, owner: str) -> Pool | None:
        """Read a pool."""
        name = pool_name(provider, owner)
        return read_pool(name, self.texts[name]) if name in self.texts else None

    def write(self, provider: str, owner: str, pool: Pool) -> None:
        """Replace a pool, or create it; one without keys is removed."""
        name = pool_name(provider, owner)
        if pool.keys:
            self.texts[name] = pool.model_dump_json(exclude_none=True)
        else:
            self.texts.pop(name, None)

    def names(self) -> list[tuple[str, str]]:
        """List provider and owner of every pool."""
        return sorted(
            (provider, owner) for provider, _, owner in (name.partition("/") for name in self.texts)
        )


@dataclass
class MemoryProviderKeys:
    """Reads keys for calls."""

    pools: MemoryPools = field(default_factory=MemoryPools)

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Return the tenant's own keys, else the shared ones."""
        return keys_of(self.pools.read(provider, tenant)) or keys_of(self.pools.read(provider, SHARED))

    def forget(self, tenant: str, provider: str) -> None:
        """Do nothing: this adapter caches no keys."""


class MemoryLimitStore:
    """Keeps one count a key and minute, and one health a provider; every change is one step."""

    def __init__(self) -> None:
        self.writes = 0
        self._counts: dict[tuple[str, str, int], tuple[int, int]] = {}
        self._healths: dict[str, Health] = {}
        self._lock = RLock()

    def take(self, entry: ProviderEntry, key: str, minute: int, tokens: int) -> Count:
        """Count a call if the limits of its minute allow it."""
        with self._lock:
            self.writes += 1
            place = (entry.name, key, minute)
            requests, used = self._counts.get(place, (0, 0))
            most = entry.requests_per_minute
            if most is not None and requests >= most:
                return Count(False, requests, used)
            if entry.tokens_per_minute is not None and used + tokens > entry.tokens_per_minute:
                return Count(False, requests, used)
            self._counts[place] = (requests + 1, used + tokens)
            return Count(True, requests + 1, used + tokens)

    def health(self, provider: str) -> Health:
        """Read a provider's health."""
        return self._healths.get(provider, Health())

    def begin(self, provider: str, call: str, now_s: int) -> Health | None:
        """Begin a count of failures."""
        with self._lock:
            before = self.health(provider)
            if before.open_until_s or before.failing_since_s > now_s - WINDOW_S:
                return self._written(provider, None)
            begun = replace(before, failed=frozenset({call}), failing_since_s=now_s)
            return self._written(provider, begun)

    def count(self, provider: str, call: str, now_s: int) -> Health | None:
        """Add a failed call."""
        with self._lock:
            before = self.health(provider)
            if before.open_until_s or before.failing_since_s <= now_s - WINDOW_S:
                return self._written(provider, None)
            return self._written(provider, replace(before, failed=before.failed | {call}))

    def open(self, provider: str, seen: Health, until_s: int, now_s: int) -> Health | None:
        """Open the circuit: make no calls to the provider for a while."""
        del now_s
        with self._lock:
            if not self._is_still(provider, seen):
                return self._written(provider, None)
            aside = self.health(provider).aside
            return self._written(provider, Health(open_until_s=until_s, aside=aside))

    def close(self, provider: str, seen: Health, now_s: int) -> Health | None:
        """Close the circuit and forget the failures."""
        del now_s
        with self._lock:
            if not self._is_still(provider, seen):
                return self._written(provider, None)
            return self._written(provider, Health(aside=self.health(provider).aside))

    def probe(self, provider: str, seen: Health, until_s: int, now_s: int) -> Health | None:
        """Become the process that probes."""
        with self._lock:
            before = self.health(provider)
            if before.open_until_s != seen.open_until_s or before.probe_until_s > now_s:
                return self._written(provider, None)
            return self._written(provider, replace(before, probe_until_s=until_s))

    def set_aside(self, provider: str, subject: str, until_s: int, over: list[str], now_s: int) -> Health:
        """Set a key aside for a while."""
        del now_s
        with self._lock:
            before = self.health(provider)
            kept = {name: until for name, until in before.aside.items() if name not in over}
            after = replace(before, aside={**kept, subject: until_s})
            self._written(provider, after)
            return after

    def _is_still(self, provider: str, seen: Health) -> bool:
        now = self.health(provider)
        return (now.open_until_s, now.failing_since_s) == (seen.open_until_s, seen.failing_since_s)

    def _written(self, provider: str, health: Health | None) -> Health | None:
        """Count a write, which costs as much where its condition fails."""
        self.writes += 1
        if health is not None:
            self._healths[provider] = health
        return health
