"""When a `rate(…)`, `cron(…)` or `at(…)` fires next: checked when a template is made, obeyed by the laptop.

AWS's own dialect: six fields, names of months and days, `?`, `L`, `W` and `#`; days of the week count from Sunday = 1.
Source: "Setting a schedule pattern" and "Schedule types" of the EventBridge guides.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_UNITS_S = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_LAST_YEAR = 2199


class Schedule(Protocol):
    """A row of moments."""

    def after(self, moment: datetime) -> datetime | None:
        """Give the first moment later than this one; None when there is none."""


@dataclass(frozen=True)
class Rate:
    """The same distance each time, counted from when the rule was made."""

    every: timedelta

    def after(self, moment: datetime) -> datetime | None:
        """Add one distance."""
        return moment + self.every


@dataclass(frozen=True)
class At:
    """One moment."""

    moment: datetime

    def after(self, moment: datetime) -> datetime | None:
        """Give the moment until it has come."""
        return self.moment if moment < self.moment else None


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, days, months and years as sets; the days by a question, since `L` and `W` depend on the month."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days_of_month: str
    months: frozenset[int]
    days_of_week: str
    years: frozenset[int]

    def after(self, moment: datetime) -> datetime | None:
        """Go through the days that fit, and through the times of each."""
        earliest = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._days_from(earliest.date()):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if found >= earliest:
                        return found
        return None

    def _days_from(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                for day in self._days_in(year, month):
                    if day >= first:
                        yield day

    def _days_in(self, year: int, month: int) -> list[date]:
        length = calendar.monthrange(year, month)[1]
        days = [date(year, month, number) for number in range(1, length + 1)]
        if self.days_of_month != "?":
            wanted = _month_days(self.days_of_month, days)
            return [day for day in days if day.day in wanted]
        return [day for day in days if _fits_week(self.days_of_week, day, length)]


def parse_schedule(text: str) -> Schedule:
    """Read an expression; a ValueError says what is wrong with it."""
    if match := _RATE.fullmatch(text):
        number, unit, plural = int(match[1]), match[2], match[3]
        if number < 1 or (number == 1) == bool(plural):
            raise ValueError(f"{text!r}: write rate(1 {unit}) or rate(2 {unit}s)")
        return Rate(timedelta(seconds=number * _UNITS_S[unit]))
    if match := _AT.fullmatch(text):
        return At(datetime.fromisoformat(match[1]).replace(tzinfo=UTC))
    if match := _CRON.fullmatch(text):
        return _cron(text, match[1].upper().split())
    raise ValueError(f"{text!r}: write rate(5 minutes), cron(0 8 ? * MON-FRI *) or at(2030-01-31T08:00:00)")


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
        # Some month holds every kind of day; reading it here finds a wrong word before the rule is made.
        cron._days_in(2024, 5)  # noqa: SLF001 - its own class
    except (ValueError, KeyError) as error:
        raise ValueError(f"{text!r}: {error} cannot be read") from None
    return cron


def _numbers(field: str, low: int, high: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    """Read `*`, `1,2`, `1-5`, `*/15`, `3/15` and names; a range may run over the end (`FRI-MON`)."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, low, high, names)
            end = _number(last, low, high, names) if last else (high if step else start)
        reach = range(start, end + 1) if start <= end else [*range(start, high + 1), *range(low, end + 1)]
        found |= set(list(reach)[:: int(step) if step else 1])
    return frozenset(found)


def _number(word: str, low: int, high: int, names: Mapping[str, int] | None) -> int:
    number = (names or {}).get(word)
    number = int(word) if number is None else number
    if not low <= number <= high:
        raise ValueError(f"{word} (allowed: {low} to {high})")
    return number


def _month_days(field: str, days: list[date]) -> set[int]:
    if field == "L":
        return {days[-1].day}
    if field.endswith("W"):
        return {_nearest_weekday(days, len(days) if field == "LW" else int(field[:-1]))}
    return set(_numbers(field, 1, 31))


def _nearest_weekday(days: list[date], number: int) -> int:
    """Find the weekday nearest to a day without leaving its month."""
    weekdays = [day.day for day in days if day.weekday() < 5]
    return min(weekdays, key=lambda day: (abs(day - number), day))


def _fits_week(field: str, day: date, month_length: int) -> bool:
    number = day.isoweekday() % 7 + 1
    if field == "L":
        return number == 7
    if field.endswith("L"):
        return number == _number(field[:-1], 1, 7, _DAYS) and day.day + 7 > month_length
    if "#" in field:
        weekday, _, nth = field.partition("#")
        return number == _number(weekday, 1, 7, _DAYS) and (day.day - 1) // 7 + 1 == int(nth)
    return number in _numbers(field, 1, 7, _DAYS)
