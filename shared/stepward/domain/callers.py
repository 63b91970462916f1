"""Who asks for something: a tenant, and the user, key or service that acts for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """Who asks: from the authorizer, never from the request."""

    tenant: str
    principal: str
