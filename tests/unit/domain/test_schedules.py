"""Schedules as users write them: what is refused, and when they fire, also where a zone changes its clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.schedules import parse_schedule
from stepward.domain.schedules import next_times
from stepward.domain.triggers import ScheduleMatch

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def times(expression: str, zone: str = "UTC", after: datetime = NOW, since: datetime = NOW) -> list[str]:
    return [f"{moment:%Y-%m-%dT%H:%M}" for moment in next_times(expression, zone, since, after, 3)]


def test_a_rate_counts_from_when_it_was_made() -> None:
    since = datetime(2026, 11, 21, 7, 50, tzinfo=UTC)
    assert times("rate(15 minutes)", since=since) == [
        "2026-11-21T08:05",
        "2026-11-21T08:20",
        "2026-11-21T08:35",
    ]
    later = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert times("rate(1 day)", since=later)[:1] == ["2026-11-21T09:00"]


def test_a_time_of_day_is_that_of_its_zone() -> None:
    assert times("cron(0 9 * * ? *)", "Asia/Tokyo")[0] == "2026-11-22T00:00"
    assert times("at(2026-12-24T18:00:00)", "Europe/Berlin") == ["2026-12-24T17:00"]


def test_clocks_that_change_move_the_moment_and_skip_the_hour_that_is_not() -> None:
    before = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
    assert times("cron(0 9 * * ? *)", "Europe/Berlin", before, before)[:2] == [
        "2026-03-28T08:00",
        "2026-03-29T07:00",
    ]
    assert times("cron(30 2 * * ? *)", "Europe/Berlin", before, before) == [
        "2026-03-28T01:30",
        "2026-03-30T00:30",
        "2026-03-31T00:30",
    ]


@pytest.mark.parametrize("text", ["at(2020-01-31T08:00:00)", "cron(0 0 1 1 ? 2020)", "cron(0 0 31 2 ? *)"])
def test_some_never_come(text: str) -> None:
    assert times(text) == []


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)", "rate(2 hour)", "rate(1 hours)", "rate(1 week)", "every day", "at(tomorrow)",
        "at(2026-13-01T00:00:00)", "cron(60 * * * ? *)", "cron(* * * * ?)", "cron(x * * * ? *)",
        "cron(* * 1 * MON *)", "cron(0/0 * * * ? *)", "cron(0 0 ? * MON#6 *)", "cron(0 0 40W * ? *)",
    ],
)  # fmt: skip
def test_what_scheduler_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"rate|cron|at|month"):
        ScheduleMatch(expression=expression)


def test_an_unknown_zone_is_refused() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="no time zone"):
            ScheduleMatch(expression="rate(1 day)", timezone=zone)


FIELDS = [
    st.sampled_from(["*", "0", "0/15", "5,50", "10-20"]),
    st.sampled_from(["*", "8", "22-1", "*/6"]),
    st.sampled_from(["*", "1", "L", "15W", "LW", "31", "1-7"]),
    st.sampled_from(["*", "JAN,JUL", "2", "NOV-FEB"]),
    st.sampled_from(["MON-FRI", "SUN", "2#1", "FRIL", "L", "FRI-MON"]),
    st.sampled_from(["*", "2027", "2026-2028"]),
]


@given(*FIELDS, st.booleans())
def test_the_platform_and_its_laptop_agree(
    minute: str, hour: str, day: str, month: str, weekday: str, year: str, by_week: bool
) -> None:
    days = ("?", month, weekday) if by_week else (day, month, "?")
    expression = f"cron({minute} {hour} {' '.join(days)} {year})"
    laptop, moments, moment = parse_schedule(expression), [], NOW
    while (following := laptop.after(moment)) and len(moments) < 5:
        moments.append(following)
        moment = following
    assert list(islice(next_times(expression, "UTC", NOW, NOW), 5)) == moments
