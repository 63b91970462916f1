"""What the clock starts, at its times; tests advance it instead of waiting."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from queue import Queue as Sent
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from infra.local.triggers import Clock, timetable
from infra.local.triggers.timetable import Timetable
from tests.local.kept import KEEP, Queue, queue, wait_kept, word
from tests.local.patience import wait_for

__all__ = ["queue", "word"]
HOUR_S = 3600


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def make_schedule(laptop: Laptop, name: str, expression: str, target: Any, **more: Any) -> None:
    role = {"RoleArn": "arn:aws:iam::123456789012:role/any"}
    laptop.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**role, **target},
        **more,
    )


def test_actions_are_called_in_the_order_of_their_times() -> None:
    clock, called = Clock(), []
    for pause_s in (30, 10, 20):
        clock.call_later(pause_s, lambda pause_s=pause_s: called.append(pause_s))
    clock.advance(25)
    wait_for(lambda: True if called == [10, 20] else None)
    clock.close()
    clock.advance(100)
    assert called == [10, 20]


def test_a_rate_fires_once_a_period(laptop: Laptop, queue: Queue, word: str) -> None:
    events = laptop.client("events")
    events.put_rule(Name=word, ScheduleExpression="rate(10 minutes)")
    events.put_targets(Rule=word, Targets=[{"Id": "1", "Arn": queue.arn}])
    events.put_events(Entries=[{"Source": word, "DetailType": "test", "Detail": "{}"}])
    laptop.clock.advance(1801)
    fired = sorted(datetime.fromisoformat(queue.body()["time"]) for _ in range(3))
    assert fired[1] - fired[0] == fired[2] - fired[1] == timedelta(minutes=10)
    assert queue.count() == (0, 0)
    events.disable_rule(Name=word)
    laptop.clock.advance(601)
    events.enable_rule(Name=word)
    laptop.clock.advance(600)
    assert datetime.fromisoformat(queue.body()["time"]) - fired[2] == timedelta(minutes=20)
    events.remove_targets(Rule=word, Ids=["1"])
    events.delete_rule(Name=word)


def test_a_schedule_of_a_rule_starts_a_function(laptop: Laptop, word: str) -> None:
    events = laptop.client("events")
    events.put_rule(Name=word, ScheduleExpression="cron(30 * * * ? *)")
    events.put_targets(Rule=word, Targets=[{"Id": "1", "Arn": KEEP}])
    laptop.clock.advance(HOUR_S)
    (event,) = wait_kept(laptop, word)
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == [f"arn:aws:events:us-east-1:123456789012:rule/{word}"]
    assert event["time"].endswith(":30:00Z")
    events.remove_targets(Rule=word, Ids=["1"])
    events.delete_rule(Name=word)


def test_a_one_off_time_comes_once_and_is_gone(laptop: Laptop, queue: Queue, word: str) -> None:
    moment = laptop.clock.now() + timedelta(minutes=5)
    target = {"Arn": queue.arn, "Input": '{"at": "<aws.scheduler.scheduled-time>"}'}
    make_schedule(laptop, word, f"at({text(moment)})", target, ActionAfterCompletion="DELETE")
    laptop.clock.advance(600)
    assert queue.body() == {"at": f"{text(moment)}Z"}
    scheduler = laptop.client("scheduler")
    wait_for(lambda: True if word not in names(scheduler) else None)
    laptop.clock.advance(HOUR_S)
    assert queue.count() == (0, 0)


def names(scheduler: Any) -> list[str]:
    return [schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]]


def test_a_schedule_keeps_to_its_zone_and_its_end(laptop: Laptop, queue: Queue, word: str) -> None:
    now = laptop.clock.now()
    local = (now + timedelta(hours=9)).replace(tzinfo=UTC)  # Tokyo, which knows no summer time
    soon = local + timedelta(minutes=20)
    make_schedule(
        laptop,
        word,
        f"cron({soon.minute} {soon.hour} * * ? *)",
        {"Arn": queue.arn},
        ScheduleExpressionTimezone="Asia/Tokyo",
        EndDate=now + timedelta(hours=30),
    )
    laptop.clock.advance(50 * HOUR_S)
    fired = sorted(datetime.fromisoformat(queue.body()["time"]) for _ in range(2))
    assert fired[0] == (soon - timedelta(hours=9)).replace(second=0, microsecond=0)
    assert fired[1] - fired[0] == timedelta(days=1)
    assert queue.count() == (0, 0)


def test_a_changed_schedule_forgets_its_old_time(laptop: Laptop, queue: Queue, word: str) -> None:
    first, second = (laptop.clock.now() + timedelta(minutes=number) for number in (5, 50))
    make_schedule(laptop, word, f"at({text(first)})", {"Arn": queue.arn, "Input": "1"})
    laptop.client("scheduler").update_schedule(
        Name=word,
        ScheduleExpression=f"at({text(second)})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue.arn, "Input": "2", "RoleArn": "arn:aws:iam::123456789012:role/any"},
    )
    laptop.clock.advance(HOUR_S)
    assert queue.body() == 2
    assert queue.count() == (0, 0)


def test_a_schedule_may_call_any_service(laptop: Laptop, queue: Queue, word: str) -> None:
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
        "Input": json.dumps({"QueueUrl": queue.url, "MessageBody": f'"{word}"'}),
    }
    make_schedule(laptop, word, f"at({text(laptop.clock.now() + timedelta(minutes=1))})", target)
    laptop.clock.advance(61)
    assert queue.body() == word


@pytest.mark.parametrize(
    ("expression", "begins", "fired"),
    [
        ("cron(30 2 27-29 3 ? 2027)", "2027-03-26T12:00", ["2027-03-27T01:30:00Z", "2027-03-29T00:30:00Z"]),
        ("cron(30 2 30-31 10 ? 2027)", "2027-10-29T12:00", ["2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z"]),
    ],
)
def test_a_schedule_skips_what_its_zone_skips_and_fires_once_where_it_repeats(
    expression: str, begins: str, fired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: Clock = Clock()
    sent: Sent[str] = Sent()
    clock.advance(datetime.fromisoformat(begins).replace(tzinfo=UTC).timestamp() - clock.now_s())
    schedule = SimpleNamespace(
        arn="arn", name="s", group_name=None, state="ENABLED", start_date=None, end_date=None,
        schedule_expression=expression, schedule_expression_timezone="Europe/Berlin", action_after_completion="NONE",
        target={"Input": "<aws.scheduler.scheduled-time>"},
    )  # fmt: skip
    monkeypatch.setattr(timetable, "_group", lambda one: {one.name: one})
    deliveries = SimpleNamespace(send=lambda target, body, attributes: sent.put(body))
    Timetable(clock, cast("Any", None), cast("Any", deliveries)).schedule_put(schedule)
    clock.advance(7 * 24 * HOUR_S)
    came = [sent.get(timeout=30) for _ in fired]
    clock.close()
    assert came == fired
    assert sent.empty()


def test_a_schedule_that_cannot_be_read_is_refused(laptop: Laptop, word: str) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        laptop.client("events").put_rule(Name=word, ScheduleExpression="cron(0 25 * * ? *)")
    with pytest.raises(ClientError, match="Invalid Schedule Expression"):
        make_schedule(laptop, word, "at(tomorrow)", {"Arn": KEEP})
    with pytest.raises(ClientError, match="Invalid Schedule Expression Timezone"):
        make_schedule(laptop, word, "rate(1 day)", {"Arn": KEEP}, ScheduleExpressionTimezone="Mars/Olympus")
