"""When a schedule of EventBridge Scheduler fires: checked when a trigger is made, shown before it does.

The dialect is AWS's: `rate(5 minutes)`, `at(2030-01-31T08:00:00)`, and `cron` with six fields, names of months and days, `?`,
`L`, `W` and `#`; days of the week count from Sunday = 1. A `cron` and an `at` mean the wall time of the schedule's zone; a
time that the zone skips in spring does not come.
Source: "Schedule types" of the EventBridge Scheduler guide.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

_RATE: Final = re.compile(r"rate\(([1-9]\d{0,5}) (minute|hour|day)(s?)\)", re.ASCII)
_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", re.ASCII)
_CRON: Final = re.compile(r"cron\(([^()]+)\)")
_UNITS_S: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS: Final = {name: number for number, name in enumerate(
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)}  # fmt: skip
_DAYS: Final = {
    name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)
}
_LAST_YEAR: Final = 2199
_FORMS: Final = "write rate(5 minutes), cron(0 8 ? * MON-FRI *) or at(2030-01-31T08:00:00)"


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, months and years as sets; the days by their words, since `L` and `W` depend on the month."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days_of_month: str
    months: frozenset[int]
    days_of_week: str
    years: frozenset[int]

    def times(self, first: date) -> Iterator[datetime]:
        """Give the wall times from a day on."""
        for day in self._days(first):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    yield datetime.combine(day, time(hour, minute))

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                yield from (day for day in self.days_in(year, month) if day >= first)

    def days_in(self, year: int, month: int) -> list[date]:
        """Choose the days of a month that fit."""
        length = calendar.monthrange(year, month)[1]
        days = [date(year, month, number) for number in range(1, length + 1)]
        if self.days_of_month == "?":
            return [day for day in days if _fits_week(self.days_of_week, day, length)]
        wanted = _month_days(self.days_of_month, days)
        return [day for day in days if day.day in wanted]


def next_times(
    expression: str, zone_name: str, since: datetime, after: datetime, most: int = 5
) -> list[datetime]:
    """Give the next moments after one, in UTC; a rate counts from `since`, and begins there."""
    zone = _zone(zone_name)
    if match := _RATE.fullmatch(expression):
        every = timedelta(seconds=int(match[1]) * _UNITS_S[match[2]])
        passed = max(0, (after - since) // every + 1)
        return [since + every * (passed + number) for number in range(most)]
    wall = after.astimezone(zone)
    moments = (found for local in _walls(expression, wall.date()) if (found := _moment(local, zone)))
    return list(islice((found for found in moments if found > after), most))


def _walls(expression: str, first: date) -> Iterator[datetime]:
    if match := _AT.fullmatch(expression):
        return iter([datetime.fromisoformat(match[1])])
    match = _CRON.fullmatch(expression)
    assert match is not None
    return _cron(expression, match[1].upper().split()).times(first)


def _moment(local: datetime, zone: tzinfo) -> datetime | None:
    """Find the moment of a wall time; None where the zone skips it."""
    found = local.replace(tzinfo=zone).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == local else None


def _checked(expression: str) -> str:
    if match := _RATE.fullmatch(expression):
        if (int(match[1]) == 1) == bool(match[3]):
            raise ValueError(f"{expression!r}: write rate(1 {match[2]}) or rate(2 {match[2]}s)")
        return expression
    if match := _AT.fullmatch(expression):
        datetime.fromisoformat(match[1])
        return expression
    if match := _CRON.fullmatch(expression):
        _cron(expression, match[1].upper().split())
        return expression
    raise ValueError(f"{expression!r}: {_FORMS}")


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone; write one as Europe/Berlin") from error


def _checked_zone(name: str) -> str:
    _zone(name)
    return name


def _cron(text: str, fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise ValueError(
            f"{text!r}: cron takes six fields: minutes hours day-of-month month day-of-week year"
        )
    minutes, hours, month_days, months, week_days, years = fields
    if (month_days == "?") == (week_days == "?"):
        raise ValueError(f"{text!r}: one of day-of-month and day-of-week must be ?, the other one not")
    try:
        cron = Cron(
            _numbers(minutes, 0, 59),
            _numbers(hours, 0, 23),
            month_days,
            _numbers(months, 1, 12, _MONTHS),
            week_days,
            _numbers(years, 1970, _LAST_YEAR),
        )
        # Some month holds every kind of day, so reading one finds a wrong word before the schedule is made.
        cron.days_in(2024, 5)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{text!r}: {error} cannot be read") from None
    return cron


def _numbers(field: str, low: int, high: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    """Read `*`, `1,2`, `1-5`, `*/15`, `3/15` and names; a range may run over the end (`FRI-MON`)."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = low if first == "*" else _number(first, low, high, names)
        whole = first == "*" or bool(step and not last)
        end = high if whole else (_number(last, low, high, names) if last else start)
        reach = [*range(start, end + 1)] if start <= end else [*range(start, high + 1), *range(low, end + 1)]
        found |= set(reach[:: _number(step, 1, high, None) if step else 1])
    return frozenset(found)


def _number(word: str, low: int, high: int, names: Mapping[str, int] | None) -> int:
    named = (names or {}).get(word)
    number = int(word) if named is None else named
    if not low <= number <= high:
        raise ValueError(f"{word} (allowed: {low} to {high})")
    return number


def _month_days(field: str, days: list[date]) -> frozenset[int]:
    if field == "L":
        return frozenset({days[-1].day})
    if field.endswith("W"):
        wanted = len(days) if field == "LW" else _number(field[:-1], 1, 31, None)
        weekdays = [day.day for day in days if day.weekday() < 5]
        return frozenset({min(weekdays, key=lambda day: (abs(day - wanted), day))})
    return _numbers(field, 1, 31)


def _fits_week(field: str, day: date, month_length: int) -> bool:
    number = day.isoweekday() % 7 + 1
    if field == "L":
        return number == 7
    if field.endswith("L"):
        return number == _number(field[:-1], 1, 7, _DAYS) and day.day + 7 > month_length
    if "#" in field:
        weekday, _, nth = field.partition("#")
        wanted = (_number(weekday, 1, 7, _DAYS), _number(nth, 1, 5, None))
        return (number, (day.day - 1) // 7 + 1) == wanted
    return number in _numbers(field, 1, 7, _DAYS)


ScheduleText = Annotated[str, Field(max_length=256), AfterValidator(_checked)]
ZoneName = Annotated[str, Field(max_length=50), AfterValidator(_checked_zone)]
