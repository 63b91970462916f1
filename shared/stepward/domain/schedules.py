"""When EventBridge's schedules fire: checks and next times, also for the laptop.

`rate(5 minutes)`, `at(2030-01-31T08:00:00)` and `cron(…)`. A `cron` and an `at` mean the wall time of the schedule's zone: a
time that the zone skips in spring does not come, and one that it has twice in autumn comes once, at the first.
Standard library only, so that whatever has to know when a schedule fires may import it.
Source: "Schedule types" of the EventBridge Scheduler guide, with its part on daylight saving time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import count, islice
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from stepward.domain.cron import LAST_YEAR, Cron, parse_cron

_RATE: Final = re.compile(r"rate\(([1-9]\d{0,5}) (minute|hour|day)(s?)\)", re.ASCII)
_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", re.ASCII)
_CRON: Final = re.compile(r"cron\(([^()]+)\)")
_UNITS_S: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
_FORMS: Final = "write rate(5 minutes), cron(0 8 ? * MON-FRI *) or at(2030-01-31T08:00:00)"
_NO_ZONES: Final = {
    "EST": "America/New_York, or Etc/GMT+5 without summer time",
    "MST": "America/Denver, or America/Phoenix without summer time",
    "HST": "Pacific/Honolulu",
    "ROC": "Asia/Taipei",
    "GMT+0": "Etc/GMT",
    "GMT-0": "Etc/GMT",
    "Factory": "UTC",
    "localtime": "the zone's own name, as in Europe/Berlin",
    "posixrules": "the zone's own name, as in America/New_York",
}
"""Names that may be in this machine's files but are no zones of EventBridge Scheduler, with what to write."""


@dataclass(frozen=True)
class Rate:
    """A fixed interval."""

    every: timedelta

    def moments(self, since: datetime, after: datetime) -> Iterator[datetime]:
        """Count from a first moment; yield the moments later than another."""
        passed = max(0, (after - since) // self.every + 1)
        for number in count(passed):
            try:
                moment = since + self.every * number
            except OverflowError:
                return
            yield moment


@dataclass(frozen=True)
class At:
    """One wall time."""

    wall: datetime


Schedule = Rate | At | Cron


def parse_schedule(expression: str) -> Schedule:
    """Parse an expression.

    Args:
        expression: As EventBridge takes it; `rate(1 minute)` is singular and `rate(2 minutes)` plural, as rules want it.

    Raises:
        ValueError: It cannot be read; the message says what to write.
    """
    if match := _RATE.fullmatch(expression):
        if (int(match[1]) == 1) == bool(match[3]):
            raise ValueError(f"{expression!r}: write rate(1 {match[2]}) or rate(2 {match[2]}s)")
        return Rate(timedelta(seconds=int(match[1]) * _UNITS_S[match[2]]))
    try:
        if match := _AT.fullmatch(expression):
            return At(_wall(match[1]))
        if match := _CRON.fullmatch(expression):
            return parse_cron(match[1])
    except ValueError as error:
        raise ValueError(f"{expression!r}: {error}") from None
    raise ValueError(f"{expression!r}: {_FORMS}")


def _wall(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007  the zone comes with the schedule
    except ValueError:
        raise ValueError("there is no such time; write one as in at(2030-01-31T08:00:00)") from None


def time_zone(name: str) -> tzinfo:
    """Return a zone of the IANA database by its name, `US/Eastern` and its like included.

    Raises:
        ValueError: EventBridge Scheduler knows no such zone; the message says what to write.
    """
    if name == "UTC":
        return UTC
    if name in _NO_ZONES:
        raise ValueError(f"{name!r} is not a time zone of EventBridge Scheduler; write {_NO_ZONES[name]}")
    try:
        zone = None if name.startswith(("posix/", "right/")) else ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        zone = None
    if zone is None:
        raise ValueError(f"{name!r} is not a time zone; write {_similar(name)}")
    return zone


def _similar(name: str) -> str:
    by_lower = {known.lower(): known for known in available_timezones() if known not in _NO_ZONES}
    wanted = name.removeprefix("posix/").removeprefix("right/").replace(" ", "_").lower()
    found = get_close_matches(wanted, by_lower, n=1, cutoff=0.8)
    return by_lower[found[0]] if found else "one as Europe/Berlin or UTC"


def moments(schedule: Schedule, zone: tzinfo, since: datetime, after: datetime) -> Iterator[datetime]:
    """Yield the moments of a schedule that are later than `after`, in UTC and in order.

    Args:
        schedule: What `parse_schedule` made.
        zone: Whose wall time a `cron` and an `at` mean.
        since: When a rate begins, with its first moment.
        after: Aware, as `since` is.
    """
    if isinstance(schedule, Rate):
        return schedule.moments(since, after)
    first = after.astimezone(zone).date() if after.year < LAST_YEAR else after.date()
    walls = iter([schedule.wall]) if isinstance(schedule, At) else schedule.times(first)
    found = (_moment(wall, zone) for wall in walls)
    return (moment for moment in found if moment is not None and moment > after)


def next_times(
    expression: str, zone_name: str, since: datetime, after: datetime, most: int = 5
) -> list[datetime]:
    """Return the next moments of an expression, in UTC; a rate counts from `since`."""
    found = moments(parse_schedule(expression), time_zone(zone_name), since, after)
    return list(islice(found, most))


def _moment(wall: datetime, zone: tzinfo) -> datetime | None:
    """Return the moment of a wall time, the first if it occurs twice; None if it is skipped."""
    try:
        found = wall.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None
    return found if found.astimezone(zone).replace(tzinfo=None) == wall else None
