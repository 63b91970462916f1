"""Keys of providers in a dictionary of the same texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepward.domain.provider_pools import Pool, pool_name, read_pool
from stepward.ports.providers import SHARED, ProviderKey, keys_of


@dataclass
class MemoryPools:
    """Pools by their names, as in `anthropic/shared`."""

    texts: dict[str, str] = field(default_factory=dict, repr=False)

    def read(self, provider: str, owner: str) -> Pool | None:
        """Read a pool."""
        name = pool_name(provider, owner)
        return read_pool(name, self.texts[name]) if name in self.texts else None

    def write(self, provider: str, owner: str, pool: Pool) -> None:
        """Replace a pool, or make it; one without keys is taken away."""
        name = pool_name(provider, owner)
        if pool.keys:
            self.texts[name] = pool.model_dump_json(exclude_none=True)
        else:
            self.texts.pop(name, None)

    def names(self) -> list[tuple[str, str]]:
        """List the pools."""
        return sorted(
            (provider, owner) for provider, _, owner in (name.partition("/") for name in self.texts)
        )


@dataclass
class MemoryProviderKeys:
    """Keys for calls."""

    pools: MemoryPools = field(default_factory=MemoryPools)

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Give the tenant's own keys, else the shared ones."""
        return keys_of(self.pools.read(provider, tenant)) or keys_of(self.pools.read(provider, SHARED))

    def forget(self, tenant: str, provider: str) -> None:
        """Do nothing: nothing is remembered here."""
