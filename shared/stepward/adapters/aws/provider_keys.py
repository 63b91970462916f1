"""Keys of providers in Secrets Manager: one secret a provider and tenant, one more for all tenants without their own.

Nothing is made by a deployment: a secret costs 0.40 $ a month and is there once the operator has set a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.adapters.provider_pools import Pool, pool_name, read_pool
from stepward.ports.providers import SHARED, ProviderKey

_MISSING: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""There is none, or it is marked for deletion, which Secrets Manager calls an invalid request."""


@dataclass(frozen=True)
class SecretsManagerKeys:
    """Reads pools of keys, each time anew; `prefix` is what the names of a stage's secrets begin with."""

    prefix: str

    def of(self, tenant: str, provider: str) -> tuple[ProviderKey, ...]:
        """Give the tenant's own keys, else the shared ones."""
        return self._keys(provider, tenant) or self._keys(provider, SHARED)

    def forget(self, tenant: str, provider: str) -> None:
        """Do nothing: nothing is remembered here."""

    def _keys(self, provider: str, owner: str) -> tuple[ProviderKey, ...]:
        found = read(self.prefix, provider, owner)
        return found.as_keys() if found else ()


def read(prefix: str, provider: str, owner: str) -> Pool | None:
    """Read one pool; None where there is no secret."""
    name = f"{prefix}/{pool_name(provider, owner)}"
    with translated(f"reading the secret {name}"):
        try:
            said = client("secretsmanager").get_secret_value(SecretId=name)
        except ClientError as error:
            if error_code(error) not in _MISSING:
                raise
            return None
    return read_pool(name, said.get("SecretString", ""))
