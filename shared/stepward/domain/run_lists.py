"""Lists of runs: which runs are wanted, and where a page of a list ends."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import InvalidRequest

FIRST_PLACE: Final = "0"
LAST_PLACE: Final = "~"
"""They sort before and after every place: a place begins with a digit and has no tilde."""

_PLACE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-\d\dT[\d:.]{12}Z#run_\w{26}", re.ASCII)
_AGO: Final = re.compile(r"(\d{1,4})([mhd])", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class Listed(Protocol):
    """What a list needs of a run's head."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def created_at(self) -> str:
        """When it was started, in UTC."""


Head = TypeVar("Head", bound=Listed)


class RunFilter(BaseModel):
    """Which runs a list shows; None matches all.

    `name` is the id of an agent or of a workflow, `day` a UTC day, `since` an instant as heads write it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str | None = None
    status: str | None = None
    day: str | None = None
    since: str | None = None

    def bounds(self, before: str | None) -> tuple[str, str]:
        """Return the first and the last place to show; none if the first is the larger."""
        low = max(self.day or FIRST_PLACE, self.since or FIRST_PLACE)
        high = min(f"{self.day}{LAST_PLACE}" if self.day else LAST_PLACE, before or LAST_PLACE)
        return low, high

    def wants(self, name: str, status: str, place: str, before: str | None) -> bool:
        """Return True if a run belongs to the list, and comes after the place that was shown last."""
        low, high = self.bounds(before)
        return self.name in (None, name) and self.status in (None, status) and low <= place < high


@dataclass(frozen=True)
class RunSlice(Generic[Head]):
    """Some runs of a list, newest first, and the place from which to read on.

    `reached` is None at the list's end. A slice may hold fewer runs than asked for, even none, and still have
    a `reached`: a filter reads many runs.
    """

    runs: list[Head]
    reached: str | None = None

    @classmethod
    def cut(cls, found: list[Head], limit: int, reached: str | None = None) -> RunSlice[Head]:
        """Keep the first `limit` of what was found; `reached` is where a given-up search stopped."""
        if len(found) > limit:
            return cls(found[:limit], place_of(found[limit - 1]))
        return cls(found, reached)


def place_of(head: Listed) -> str:
    """Return a run's place in every list: by time, then by id."""
    return f"{head.created_at}#{head.run}"


def write_cursor(place: str) -> str:
    """Write a place as an opaque text."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> str | None:
    """Parse what `write_cursor` wrote.

    Raises:
        InvalidRequest: The text is no cursor of a list of runs.
    """
    if cursor is None:
        return None
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        place = ""
    if not _PLACE.fullmatch(place):
        raise InvalidRequest("the cursor cannot be read.", field="cursor", fix="use `next_cursor` as it came")
    return place


def read_day(text: str | None) -> str | None:
    """Parse a UTC day such as 2026-11-21.

    Raises:
        InvalidRequest: The text is no day.
    """
    if text is None:
        return None
    try:
        is_day = date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    if not is_day:
        raise InvalidRequest(f"day is {text[:40]!r}.", field="day", fix="write it as 2026-11-21")
    return text


def read_since(text: str | None, now: datetime) -> str | None:
    """Parse the start of a list: a day, an instant (UTC by default), or 90m, 24h, 7d ago.

    Args:
        text: What the caller wrote.
        now: The time that a span counts back from.

    Returns:
        The instant as heads write it, such as 2026-11-21T08:00:00.000Z.

    Raises:
        InvalidRequest: The text is none of these.
    """
    if text is None:
        return None
    try:
        at = _instant(text, now)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"since is {text[:40]!r}.",
            field="since",
            fix="write a day (2026-11-21), an instant (2026-11-21T08:00:00Z) or a span (90m, 24h, 7d)",
        ) from error
    return f"{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{at.microsecond // 1_000:03d}Z"


def _instant(text: str, now: datetime) -> datetime:
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
