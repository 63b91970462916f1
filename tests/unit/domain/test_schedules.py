"""Schedules as users write them: what is refused, and when they fire, also where a zone changes its clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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
        "cron(* * ? * ? *)", "cron(* * * * * *)", "cron(0 12 * * ?)", "cron(0 0 12 * * ? *)", "cron(? 12 * * ? *)",
        "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 1 0 ? *)",
        "cron(0 0 ? * 0 *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * MONDAY *)", "cron(0 0 ? * MON/2 *)", "cron(0 0 ? * 2#0 *)",
        "cron(0 0 ? * MON#1,FRI#3 *)", "cron(0 0 ? * MON,FRIL *)", "cron(0 0 1,L * ? *)", "cron(0 0 1W,15 * ? *)",
        "cron(0 0 W * ? *)", "cron(0 0 0W * ? *)", "cron(0 0 LL * ? *)", "cron(0 0 ? * WL *)", "cron(0 0 ? * #2 *)",
        "cron(0 0 1 1 ? 1969)", "cron(0 0 1 1 ? 2200)", "cron(0 0 1 1 ? 2030-2027)", "cron(0 0 1 1 ? 27)",
        "cron(0, 0 * * ? *)", "cron(,0 0 * * ? *)", "cron(1--3 0 * * ? *)", "cron(1- 0 * * ? *)", "cron(*/ 0 * * ? *)",
        "cron(*/60 0 * * ? *)", "cron(-5 0 * * ? *)", "cron(+5 0 * * ? *)", "cron(1_0 0 * * ? *)", "cron(5.0 0 * * ? *)",
        "cron(\u0665 0 * * ? *)", "cron(0 0 1 \u017fep ? *)", "CRON(0 0 1 * ? *)", "cron (0 0 1 * ? *)", "cron()",
        "rate(1.5 hours)", "rate(-1 minutes)", "rate(01 minutes)", "rate(5  minutes)", "rate(5 seconds)", "rate(5minutes)",
        "rate(\u0665 minutes)", "at(2026-02-30T00:00:00)", "at(2026-01-31 08:00:00)", "at(2026-01-31T08:00:00Z)",
        "at(2026-01-31T08:00)", "at(2026-01-31T24:00:00)", "0 8 * * *", "@daily", "",
    ],
)  # fmt: skip
def test_what_scheduler_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"write "):
        ScheduleMatch(expression=expression)


def test_an_unknown_zone_is_refused() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", "", "Europe", "UTC+2", "+02:00", "Europe/Berlin "):
        with pytest.raises(ValueError, match="not a time zone"):
            ScheduleMatch(expression="rate(1 day)", timezone=zone)


@pytest.mark.parametrize(
    ("zone", "instead"),
    [
        ("EST", "America/New_York"), ("HST", "Pacific/Honolulu"), ("MST", "America/Denver"), ("ROC", "Asia/Taipei"),
        ("posix/Europe/Berlin", "Europe/Berlin"), ("right/Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"), ("America/New York", "America/New_York"), ("localtime", "Europe/Berlin"),
        ("Factory", "UTC"), ("utc", "UTC"), ("Europe/Munich", "Europe/Zurich|Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_zone_that_scheduler_refuses_is_refused_with_one_to_write(zone: str, instead: str) -> None:
    with pytest.raises(ValueError, match=f"write .*({instead})"):
        ScheduleMatch(expression="rate(1 day)", timezone=zone)


@pytest.mark.parametrize(
    "zone", ["US/Eastern", "Asia/Calcutta", "Etc/GMT-3", "EST5EDT", "GMT", "Antarctica/Troll"]
)
def test_zones_by_their_older_names_are_taken_as_scheduler_takes_them(zone: str) -> None:
    assert times("cron(0 9 * * ? *)", zone)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("rate(7 days)", "2026-11-21T08:00:00", "2026-11-28T08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-11-21T08:00:00", "2026-11-21T08:15:00"),
        ("cron(10-50/20 * * * ? *)", "2026-11-21T08:10:00", "2026-11-21T08:30:00"),
        ("cron(0 10 * * ? *)", "2026-11-21T10:00:00", "2026-11-22T10:00:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00:00", "2026-11-23T18:00:00"),
        ("cron(0 18 ? * mon-fri *)", "2026-11-20T18:00:00", "2026-11-23T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-11-21T08:00:00", "2026-12-01T08:00:00"),
        ("cron(0 8 31 * ? *)", "2026-08-31T08:00:00", "2026-10-31T08:00:00"),
        ("cron(0 8 29 2 ? *)", "2026-11-21T08:00:00", "2028-02-29T08:00:00"),
        ("cron(0 0 L * ? *)", "2028-02-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 L-2 * ? *)", "2028-02-01T00:00:00", "2028-02-27T00:00:00"),
        ("cron(0 0 LW * ? *)", "2026-10-01T00:00:00", "2026-10-30T00:00:00"),
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00:00", "2026-11-16T00:00:00"),
        ("cron(0 0 1W * ? *)", "2026-08-01T00:00:00", "2026-08-03T00:00:00"),
        ("cron(0 0 31W * ? *)", "2026-09-01T00:00:00", "2026-10-30T00:00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-11-03T00:00:00", "2026-12-07T09:00:00"),
        ("cron(0 9 ? * MON#5 *)", "2026-12-01T00:00:00", "2027-03-29T09:00:00"),
        ("cron(0 9 ? * FRIL *)", "2026-11-21T00:00:00", "2026-11-27T09:00:00"),
        ("cron(0 9 ? * 6L *)", "2026-11-21T00:00:00", "2026-11-27T09:00:00"),
        ("cron(0 9 ? * L *)", "2026-11-22T00:00:00", "2026-11-28T09:00:00"),
        ("cron(0 9 ? * FRI-MON *)", "2026-11-24T00:00:00", "2026-11-27T09:00:00"),
        ("cron(0 9 ? JAN,JUL SUN 2027)", "2026-11-21T00:00:00", "2027-01-03T09:00:00"),
        ("cron(0 0 1 NOV-FEB/3 ? *)", "2026-11-21T00:00:00", "2027-02-01T00:00:00"),
        ("cron(0 0 1 1 ? 2027/3)", "2027-01-21T00:00:00", "2030-01-01T00:00:00"),
        ("cron(5 22-1 * * ? *)", "2026-11-21T23:10:00", "2026-11-22T00:05:00"),
        ("cron(0/30 20-2 ? * MON-FRI *)", "2026-11-21T03:00:00", "2026-11-23T00:00:00"),
        ("at(2030-01-31T08:00:00)", "2026-11-21T00:00:00", "2030-01-31T08:00:00"),
    ],
)
def test_the_next_moment(expression: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert times(expression, after=moment, since=moment)[0] == expected[:16]


def test_a_wall_time_that_comes_twice_fires_once() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert times("cron(30 2 * * ? *)", "Europe/Berlin", before, before) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
        "2026-10-27T01:30",
    ]
    between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)  # 02:00 for the second time
    assert times("cron(0/30 * * * ? *)", "Europe/Berlin", between, between)[0] == "2026-10-25T02:00"


def test_a_rate_does_not_heed_the_clocks_of_its_zone() -> None:
    since = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert times("rate(1 hour)", "Europe/Berlin", since, since) == [
        f"2026-10-25T0{hour}:00" for hour in (1, 2, 3)
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_the_ends_of_time_are_no_fault(zone: str) -> None:
    for text in ("at(9999-12-31T23:59:59)", "at(0001-01-01T00:00:00)", "rate(999999 days)"):
        times(text, zone)
