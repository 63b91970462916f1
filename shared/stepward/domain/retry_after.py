"""`Retry-After`: the word of a server when it wants to be asked again, in both of HTTP's spellings."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from stepward.domain.errors import ToolUnavailable

_SECONDS: Final = re.compile(r"\d{1,10}(\.\d{1,9})?", re.ASCII)


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Read the header's value.

    Args:
        header: Seconds (`120`) or a date (`Wed, 21 Oct 2026 07:28:00 GMT`); None where there is none.
        now: From when a date is counted; without it, this moment.

    Returns:
        Seconds, 0 for a date that has passed; None where the header says neither.
    """
    said = (header or "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    try:
        when = parsedate_to_datetime(said)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def asks_to_wait(seconds: float | None) -> str:
    """Say in a sentence for models and people when the server wants to be asked again; nothing where it did not say."""
    return "" if seconds is None else f" It asks to be called again in {seconds:g} s, not sooner."


def asked_pause_s(error: Exception) -> float | None:
    """Tell how long the far end asked to be left alone; None if it did not."""
    return error.retry_after_s if isinstance(error, ToolUnavailable) else None
