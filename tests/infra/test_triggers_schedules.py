"""The clock's expressions mean here what they mean on AWS."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra.schedules import parse_schedule


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("rate(1 minute)", "2026-11-21T08:00:30", "2026-11-21T08:01:30"),
        ("rate(7 days)", "2026-11-21T08:00:00", "2026-11-28T08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-11-21T08:00:00", "2026-11-21T08:15:00"),
        ("cron(0 10 * * ? *)", "2026-11-21T10:00:00", "2026-11-22T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-11-21T08:00:00", "2026-11-21T12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00:00", "2026-11-23T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-11-21T08:00:00", "2026-12-01T08:00:00"),
        ("cron(0 0 L * ? *)", "2028-02-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 LW * ? *)", "2026-10-01T00:00:00", "2026-10-30T00:00:00"),
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00:00", "2026-11-16T00:00:00"),
        ("cron(0 0 1W * ? *)", "2026-08-01T00:00:00", "2026-08-03T00:00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-11-03T00:00:00", "2026-12-07T09:00:00"),
        ("cron(0 9 ? * FRIL *)", "2026-11-21T00:00:00", "2026-11-27T09:00:00"),
        ("cron(0 9 ? JAN,JUL SUN 2027)", "2026-11-21T00:00:00", "2027-01-03T09:00:00"),
        ("cron(5 22-1 * * ? *)", "2026-11-21T23:10:00", "2026-11-22T00:05:00"),
        ("at(2030-01-31T08:00:00)", "2026-11-21T00:00:00", "2030-01-31T08:00:00"),
    ],
)
def test_the_next_moment(text: str, after: str, expected: str) -> None:
    assert parse_schedule(text).after(moment(after)) == moment(expected)


@pytest.mark.parametrize("text", ["at(2020-01-31T08:00:00)", "cron(0 0 1 1 ? 2020)", "cron(0 0 31 2 ? 2030)"])
def test_some_never_come(text: str) -> None:
    assert parse_schedule(text).after(moment("2026-11-21T00:00:00")) is None


@pytest.mark.parametrize(
    "text", ["rate(0 minutes)", "rate(2 hour)", "rate(1 week)", "cron(60 * * * ? *)", "cron(* * * * ?)", "cron(x * * * ? *)"]
)  # fmt: skip
def test_what_aws_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|cron"):
        parse_schedule(text)
