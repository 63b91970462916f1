"""EventBridge's cron expressions: their fields, allowed values, and matching days.

Six fields: minutes, hours, day of the month, month, day of the week, year. Days of the week count from Sunday = 1. Of the
two fields for days one is `?`. Standard library only: the laptop reads schedules by this very module.
Source: "Schedule types" of the EventBridge Scheduler guide; the same words hold for scheduled rules.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
_NUMBER: Final = re.compile(r"\d{1,4}", re.ASCII)
_MONTHS: Final = {name: number for number, name in enumerate(
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)}  # fmt: skip
_DAYS: Final = {
    name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)
}
_SATURDAY: Final = 7


@dataclass(frozen=True)
class _Field:
    """One of the six fields."""

    name: str
    low: int
    high: int
    example: str
    names: Mapping[str, int] = field(default_factory=dict)
    takes_steps: bool = True

    def number(self, word: str) -> int:
        """Read a number or a name.

        Raises:
            ValueError: It is neither, or lies outside of the field's bounds.
        """
        if word in self.names:
            return self.names[word]
        if not _NUMBER.fullmatch(word) or not self.low <= int(word) <= self.high:
            named = f" or {', '.join(self.names)}" if self.names else ""
            raise self.refused(
                word or "nothing", f"write {self.low} to {self.high}{named}, as in {self.example}"
            )
        return int(word)

    def refused(self, word: str, fix: str) -> ValueError:
        """Return the error with the field, its text and what to write instead."""
        return ValueError(f"the {self.name} cannot be {word}; {fix}")


_MINUTES: Final = _Field("minutes", 0, 59, "0/15")
_HOURS: Final = _Field("hours", 0, 23, "8-17")
_MONTH_DAYS: Final = _Field("day-of-month", 1, 31, "1,15, L, LW or 15W")
_MONTH: Final = _Field("month", 1, 12, "JAN,JUL", _MONTHS)
_WEEK_DAYS: Final = _Field("day-of-week", 1, 7, "MON-FRI, FRIL or MON#1", _DAYS, takes_steps=False)
_YEARS: Final = _Field("year", FIRST_YEAR, LAST_YEAR, "* or 2027-2030")


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, months and years as sets; days as written, as `L` and `W` need a month."""

    minutes: frozenset[int]
    hours: frozenset[int]
    month_days: str
    months: frozenset[int]
    week_days: str
    years: frozenset[int]

    def times(self, first: date) -> Iterator[datetime]:
        """Yield the wall times from a day on, in order."""
        for day in self._days(first):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    yield datetime.combine(day, time(hour, minute))

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                yield from (day for day in self.days_in(year, month) if day >= first)

    def days_in(self, year: int, month: int) -> list[date]:
        """Return the days of a month that match."""
        length = calendar.monthrange(year, month)[1]
        days = [date(year, month, number) for number in range(1, length + 1)]
        if self.month_days == "?":
            return [day for day in days if _fits_week(self.week_days, day, length)]
        wanted = _month_days(self.month_days, days)
        return [day for day in days if day.day in wanted]


def parse_cron(words: str) -> Cron:
    """Parse the six fields.

    Args:
        words: The text between the brackets of `cron(…)`; the case of names does not matter.

    Raises:
        ValueError: EventBridge refuses it; the message names the field and what to write.
    """
    fields = words.upper().split() if words.isascii() else []
    if len(fields) != 6:
        raise ValueError("write six fields: minutes hours day-of-month month day-of-week year")
    minutes, hours, month_days, months, week_days, years = fields
    if (month_days == "?") == (week_days == "?"):
        raise ValueError(
            "one of day-of-month and day-of-week must be ?, the other one not; write ? for the one that you do not use"
        )
    cron = Cron(
        _numbers(_MINUTES, minutes),
        _numbers(_HOURS, hours),
        month_days,
        _numbers(_MONTH, months),
        week_days,
        _numbers(_YEARS, years),
    )
    # Any month tells whether the words for days can be read.
    cron.days_in(2024, 5)
    return cron


def _numbers(kind: _Field, said: str) -> frozenset[int]:
    """Read `*`, `1,2`, `1-5`, `*/15`, `3/15` and names; a range may wrap (`FRI-MON`)."""
    found: set[int] = set()
    for part in said.split(","):
        span, slash, step = part.partition("/")
        if slash and not kind.takes_steps:
            raise kind.refused(part, "it takes no steps; write the days, as in MON,WED,FRI")
        reach = _reach(kind, span, is_open=bool(slash))
        found |= set(reach[:: _step(kind, part, step) if slash else 1])
    return frozenset(found)


def _reach(kind: _Field, span: str, *, is_open: bool) -> list[int]:
    if span == "*":
        return list(range(kind.low, kind.high + 1))
    first, dash, last = span.partition("-")
    start = kind.number(first)
    alone = kind.high if is_open else start
    end = kind.number(last) if dash else alone
    if start <= end:
        return list(range(start, end + 1))
    if kind is _YEARS:
        raise kind.refused(span, "years do not wrap; write the earlier one first")
    return [*range(start, kind.high + 1), *range(kind.low, end + 1)]


def _step(kind: _Field, part: str, step: str) -> int:
    if not _NUMBER.fullmatch(step) or not 1 <= int(step) <= kind.high:
        raise kind.refused(part, f"write a step of 1 to {kind.high}, as in {kind.low}/{min(5, kind.high)}")
    return int(step)


def _month_days(said: str, days: list[date]) -> frozenset[int]:
    _one_day_alone(_MONTH_DAYS, said, "[LW]")
    last = len(days)
    if said == "L":
        return frozenset({last})
    if said.startswith("L-"):
        return frozenset({last - _MONTH_DAYS.number(said[2:])})
    if said.endswith("W"):
        wanted = last if said == "LW" else _MONTH_DAYS.number(said[:-1])
        return _nearest_weekday(wanted, days)
    return _numbers(_MONTH_DAYS, said)


def _nearest_weekday(wanted: int, days: list[date]) -> frozenset[int]:
    """Return the weekday nearest to a day within its month; none if the month lacks the day."""
    if wanted > len(days):
        return frozenset()
    weekdays = [day.day for day in days if day.weekday() < 5]
    return frozenset({min(weekdays, key=lambda day: (abs(day - wanted), day))})


def _fits_week(said: str, day: date, month_length: int) -> bool:
    _one_day_alone(_WEEK_DAYS, said, "L$|#")
    number = day.isoweekday() % 7 + 1
    if said == "L":
        return number == _SATURDAY
    if said.endswith("L"):
        return number == _WEEK_DAYS.number(said[:-1]) and day.day + 7 > month_length
    weekday, hash_sign, nth = said.partition("#")
    if hash_sign:
        return (number, (day.day - 1) // 7 + 1) == (_WEEK_DAYS.number(weekday), _nth(said, nth))
    return number in _numbers(_WEEK_DAYS, said)


def _nth(said: str, nth: str) -> int:
    if nth not in {"1", "2", "3", "4", "5"}:
        raise _WEEK_DAYS.refused(said, "write one day and one of #1 to #5, as in MON#1")
    return int(nth)


def _one_day_alone(kind: _Field, said: str, mark: str) -> None:
    """Refuse `L`, `15W` or `MON#1` among other days: EventBridge takes them alone only."""
    parts = said.split(",")
    alone = [part for part in parts if re.search(mark, part)]
    if len(parts) > 1 and alone:
        raise kind.refused(said, f"{alone[0]} is allowed alone only; write a schedule for each")
