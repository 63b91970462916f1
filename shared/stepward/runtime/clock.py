"""The world's own time and randomness: everything else is told what to use."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from ulid import ULID


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Read it, in UTC."""
        return datetime.now(UTC)


class UlidIds:
    """ULIDs: sortable by time, 80 random bits."""

    def new(self, prefix: str) -> str:
        """Make an id such as `run_01JD…`."""
        return f"{prefix}_{ULID()}"

    def secret(self) -> str:
        """Make 192 random bits."""
        return secrets.token_urlsafe(24)
