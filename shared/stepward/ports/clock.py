"""Time and new names, so that a test can hold them still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time in UTC."""

    def now(self) -> datetime:
        """Read the clock."""


class Ids(Protocol):
    """New ids that sort by their time of making, and secrets."""

    def new(self, prefix: str) -> str:
        """Make an id such as `run_01JD…` from the prefix `run`."""

    def secret(self) -> str:
        """Make an unguessable text of at least 128 random bits: letters, digits, `-` and `_`."""


def iso(moment: datetime) -> str:
    """Write a time as every record does: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """Read what `iso` wrote."""
    return datetime.fromisoformat(text)
