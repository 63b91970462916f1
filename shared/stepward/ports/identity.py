"""API keys, stored as hashes."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class ApiKeyRecord(BaseModel):
    """What is stored of a key, which is never the secret."""

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
        """Find a key, strongly consistent.

        Args:
            key_id: The key's public part.

        Returns:
            The record; None where there is none.
        """

    def keep(self, record: ApiKeyRecord) -> None:
        """Store a new key's record.

        Args:
            record: The record.
        """

    def api_keys(self, tenant: str | None) -> list[ApiKeyRecord]:
        """List keys by reading the whole table, which only an operator does.

        Args:
            tenant: Whose keys; None for those of all tenants.

        Returns:
            The records.
        """

    def revoke(self, key_id: str, at: str) -> bool:
        """Revoke a key; the first revocation stays.

        Args:
            key_id: The key's public part.
            at: The time, in UTC.

        Returns:
            False if there is no such key.
        """
