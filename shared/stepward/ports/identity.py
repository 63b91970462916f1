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


class Identity(Protocol):
    """The identity table."""

    def api_key(self, key_id: str) -> ApiKeyRecord | None:
        """Find a key by its public part."""

    def keep(self, record: ApiKeyRecord) -> None:
        """Store a new key's record."""
