"""Who may call: API keys, stored as hashes."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class ApiKeyRecord(BaseModel):
    """What is stored of a key: never the secret."""

    key_id: str
    tenant: str
    principal: str
    secret_sha256: str
    created_at: str
    expires_at: int | None = None
    """Seconds since 1970, from which on it is refused."""
    revoked_at: str | None = None


class Identity(Protocol):
    """The identity table."""

    def api_key(self, key_id: str) -> ApiKeyRecord | None:
        """Find a key by its public part, strongly consistent."""

    def keep(self, record: ApiKeyRecord) -> None:
        """Store a new key's record."""

    def api_keys(self, tenant: str | None) -> list[ApiKeyRecord]:
        """List the keys of a tenant, or of all; it reads all of them, which only an operator does."""

    def revoke(self, key_id: str, at: str) -> bool:
        """Revoke a key from now on; False if there is none. The first revocation stays."""
