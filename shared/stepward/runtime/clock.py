"""Read the system's clock, and make ids and secrets: the ports `Clock` and `Ids`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from ulid import ULID


class SystemClock:
    """The system's clock."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)


class UlidIds:
    """ULIDs: sortable by time, 80 random bits."""

    def new(self, prefix: str) -> str:
        """Make an id such as `run_01JD…`.

        Args:
            prefix: What kind of thing it names, as `run`.
        """
        return f"{prefix}_{ULID()}"

    def secret(self) -> str:
        """Return 192 random bits as 32 characters that are safe in URLs."""
        return secrets.token_urlsafe(24)
