"""Keys of providers in a dictionary of the same texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepward.adapters.provider_pools import pool_name, read_pool
from stepward.ports.providers import SHARED, ProviderKey


@dataclass
class MemoryProviderKeys:
    """Pools by their names, as in `anthropic/shared`."""

    pools: dict[str, str] = field(default_factory=dict, repr=False)

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Give the tenant's own keys, else the shared ones."""
        return self._keys(provider, tenant) or self._keys(provider, SHARED)

    def forget(self, tenant: str, provider: str) -> None:
        """Do nothing: nothing is remembered here."""

    def _keys(self, provider: str, owner: str) -> tuple[ProviderKey, ...]:
        name = pool_name(provider, owner)
        return read_pool(name, self.pools[name]).as_keys() if name in self.pools else ()
