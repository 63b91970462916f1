"""The time, and new ids and secrets: ports, so that a test can fix them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time in UTC."""

    def now(self) -> datetime:
        """Return the current time.

        Returns:
            The time in UTC.
        """


class Ids(Protocol):
    """New ids that sort by their time of creation, and secrets."""

    def new(self, prefix: str) -> str:
        """Make an id.

        Args:
            prefix: The kind of thing, such as `run`.

        Returns:
            The prefix, an underscore and 26 characters, such as `run_01JD…`.
        """

    def secret(self) -> str:
        """Make an unguessable text.

        Returns:
            At least 128 random bits as letters, digits, `-` and `_`.
        """


def iso(moment: datetime) -> str:
    """Format a time as every record does: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """Parse what `iso` wrote."""
    return datetime.fromisoformat(text)
