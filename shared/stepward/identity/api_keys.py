"""API keys `sw_<key id>_<secret>`; the 256-bit secret is stored as its SHA-256 only."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from stepward.domain.errors import NotAuthenticated, NotFound
from stepward.domain.ids import PRINCIPAL_PATTERN, TENANT_PATTERN, check_id
from stepward.ports.clock import Clock, iso
from stepward.ports.identity import ApiKeyRecord, Identity

_FORM: Final = re.compile(r"sw_([0-9a-f]{16})_([0-9a-f]{64})")
_FIX: Final = "send a key as `Authorization: Bearer sw_…` or `x-api-key: sw_…`"


@dataclass(frozen=True)
class ApiKeys:
    """Issues and verifies keys."""

    identity: Identity
    clock: Clock

    def issue(self, tenant: str, principal: str, lasts: timedelta | None = None) -> str:
        """Make a key; it is shown once, here, and cannot be read again.

        Args:
            tenant: Whose data the key opens.
            principal: Who holds it.
            lasts: How long it is good for; without it until it is revoked.

        Returns:
            The key, `sw_<id>_<secret>`.

        """
        check_id("tenant", tenant, TENANT_PATTERN)
        check_id("principal", principal, PRINCIPAL_PATTERN)
        now = self.clock.now()
        key_id, secret = secrets.token_hex(8), secrets.token_hex(32)
        record = ApiKeyRecord(
            key_id=key_id,
            tenant=tenant,
            principal=principal,
            secret_sha256=_sha256(secret),
            created_at=iso(now),
            expires_at=int((now + lasts).timestamp()) if lasts else None,
        )
        self.identity.keep(record)
        return f"sw_{key_id}_{secret}"

    def recognise(self, headers: dict[str, str]) -> ApiKeyRecord:
        """Return the caller of a request's key; header names are in lower case."""
        key_id, secret = _split(_presented(headers))
        record = self.identity.api_key(key_id)
        known = record.secret_sha256 if record else _sha256("")
        # Compared in constant time, and for unknown ids too, so that the answer's time tells nothing.
        if not hmac.compare_digest(known, _sha256(secret)) or record is None:
            raise NotAuthenticated("the API key is not known.", field="Authorization", fix=_FIX)
        if record.expires_at is not None and record.expires_at <= self.clock.now().timestamp():
            raise NotAuthenticated("the API key has expired.", field="Authorization", fix="ask for a new key")
        if record.revoked_at is not None:
            raise NotAuthenticated("the API key was revoked.", field="Authorization", fix="ask for a new key")
        return record

    def keys(self, tenant: str | None) -> list[dict[str, str | None]]:
        """List keys without their secrets: ids, owners, and whether they are valid."""
        now_s = self.clock.now().timestamp()
        return [_shown(key, now_s) for key in self.identity.api_keys(tenant)]

    def revoke(self, key_id: str) -> None:
        """Revoke a key, from its next request on.

        Args:
            key_id: The part between the underscores; a whole key is taken too.

        Raises:
            NotFound: There is no such key.
        """
        whole = _FORM.fullmatch(key_id)
        name = whole[1] if whole else key_id
        if not self.identity.revoke(name, iso(self.clock.now())):
            raise NotFound(
                "there is no key of this id.", field="revoke", fix="--list shows the ids of all keys"
            )


def _shown(key: ApiKeyRecord, now_s: float) -> dict[str, str | None]:
    expires_at = iso(datetime.fromtimestamp(key.expires_at, UTC)) if key.expires_at else None
    is_over = key.expires_at is not None and key.expires_at <= now_s
    status = "revoked" if key.revoked_at else "expired" if is_over else "good"
    return {
        "id": key.key_id,
        "tenant": key.tenant,
        "principal": key.principal,
        "status": status,
        "created_at": key.created_at,
        "expires_at": expires_at,
    }


def _presented(headers: dict[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    key = headers.get("x-api-key", "").strip()
    if not key:
        raise NotAuthenticated("the request carries no API key.", field="Authorization", fix=_FIX)
    return key


def _split(key: str) -> tuple[str, str]:
    found = _FORM.fullmatch(key)
    if not found:
        raise NotAuthenticated("the API key is not of the form sw_….", field="Authorization", fix=_FIX)
    return found[1], found[2]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
