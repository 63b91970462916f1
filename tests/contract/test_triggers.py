"""What every store of triggers and every maker of schedules promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from stepward.adapters.aws import clients
from stepward.adapters.aws.scheduler import SchedulerSchedules
from stepward.adapters.aws.triggers import DynamoTriggers
from stepward.adapters.memory.small_ports import MemoryIdentity
from stepward.adapters.memory.triggers import MemoryTriggers
from stepward.domain.errors import Conflict, InvalidRequest
from stepward.domain.triggers import FireError, FireResult, Firing, KeptTrigger, Trigger
from stepward.ports.triggers import HookSecret, Triggers
from tests.support.builders import AT, LATER
from tests.support.mocked_aws import mocked_aws

S3 = {"s3": {"prefix": "inbox/"}}


def kept(name: str = "inbox", tenant: str = "acme", revision: int = 1, **said: Any) -> KeptTrigger:
    trigger = Trigger.model_validate({"id": name, "kind": "s3", "agent": "helper", **S3, **said})
    return KeptTrigger(
        tenant=tenant, trigger=trigger, created_at=AT, created_by="me", since=AT, revision=revision
    )


def hook(name: str = "hook") -> KeptTrigger:
    return kept(name, kind="webhook", s3=None)


@pytest.fixture
def triggers(ports: Any) -> Triggers:
    return MemoryTriggers() if isinstance(ports.identity, MemoryIdentity) else DynamoTriggers("triggers")


def test_a_trigger_comes_back_as_it_was_kept(triggers: Triggers) -> None:
    one = kept(input={"file": "{% $event.key %}", "n": 1.5}, priority="high", version="prod")
    assert triggers.add(one, None) == one
    assert triggers.trigger("acme", "inbox") == one
    assert triggers.trigger("other", "inbox") is None


def test_an_id_is_taken_once(triggers: Triggers) -> None:
    first = triggers.add(kept(), None)
    again = kept().model_copy(update={"created_at": LATER, "since": LATER})
    assert triggers.add(again, None) == first
    with pytest.raises(Conflict, match="something else"):
        triggers.add(kept(agent="another"), None)
    assert triggers.trigger("acme", "inbox") == first


def test_a_repeated_webhook_keeps_its_first_secret(triggers: Triggers) -> None:
    triggers.add(hook(), HookSecret(secret="first", created_at=AT))
    triggers.add(hook(), HookSecret(secret="second", created_at=LATER))
    found = triggers.secret("acme", "hook")
    assert found is not None
    assert found.secret == "first"


def test_a_change_needs_what_was_read(triggers: Triggers) -> None:
    before = triggers.add(kept(), None)
    after = kept(revision=2, s3={"prefix": "outbox/"})
    triggers.replace(before, after)
    assert triggers.trigger("acme", "inbox") == after
    for stale in (lambda: triggers.replace(before, kept(revision=2)), lambda: triggers.remove(before)):
        with pytest.raises(Conflict, match="another writer"):
            stale()
    assert triggers.trigger("acme", "inbox") == after


def test_triggers_are_found_by_their_channel_as_it_is_now(triggers: Triggers) -> None:
    inbox, everywhere = triggers.add(kept(), None), triggers.add(kept("all", s3={"suffix": ".csv"}), None)
    triggers.add(kept(tenant="other"), None)
    triggers.add(hook(), HookSecret(secret="x", created_at=AT))
    assert triggers.listening("acme", "s3#inbox") == [inbox]
    assert triggers.listening("acme", "s3#") == [everywhere]
    moved = kept(revision=2, s3={"prefix": "outbox/"})
    triggers.replace(inbox, moved)
    assert triggers.listening("acme", "s3#inbox") == []
    assert triggers.listening("acme", "s3#outbox") == [moved]


def test_what_is_removed_is_gone_with_its_secret_and_its_counts(triggers: Triggers) -> None:
    one = triggers.add(hook(), HookSecret(secret="x", created_at=AT))
    triggers.record(one, Firing(at=AT, event="e1", result=FireResult.STARTED, run="run_1"))
    triggers.remove(one)
    assert triggers.trigger("acme", "hook") is None
    assert triggers.secret("acme", "hook") is None
    triggers.record(one, Firing(at=AT, event="e2", result=FireResult.STARTED, run="run_2"))
    assert triggers.state("acme", "hook").started == 0
    triggers.add(hook(), HookSecret(secret="y", created_at=AT))
    assert triggers.state("acme", "hook").last_run is None


def test_pages_follow_each_other(triggers: Triggers) -> None:
    names = [f"t-{number:02d}" for number in range(5)]
    for name in names:
        triggers.add(kept(name), None)
    triggers.add(kept("foreign", tenant="other"), None)
    seen, cursor = [], None
    for _ in range(3):
        page = triggers.list_triggers("acme", limit=2, cursor=cursor)
        seen += [one.trigger.id for one in page.triggers]
        cursor = page.cursor
    assert (seen, cursor) == (names, None)


def test_firings_are_counted_and_the_last_ones_are_known(triggers: Triggers) -> None:
    one = triggers.add(kept(), None)
    error = FireError(code="NotFound", detail="gone", at=LATER)
    triggers.record(one, Firing(at=AT, event="e1", result=FireResult.STARTED, run="run_1"))
    triggers.record(one, Firing(at=AT, event="e1", result=FireResult.DUPLICATE, run="run_1"))
    triggers.record(one, Firing(at=LATER, event="e2", result=FireResult.FAILED, error=error))
    state = triggers.state("acme", "inbox")
    assert (state.started, state.duplicate, state.failed) == (1, 1, 1)
    assert (state.last_fired_at, state.last_event, state.last_run) == (LATER, "e2", "run_1")
    assert state.last_error == error


def test_a_secret_changes_only_where_one_is(triggers: Triggers) -> None:
    triggers.add(hook(), HookSecret(secret="x", created_at=AT))
    new = HookSecret(secret="y", created_at=LATER, before="x", before_until=10)
    triggers.put_secret("acme", "hook", new)
    assert triggers.secret("acme", "hook") == new
    with pytest.raises(Conflict):
        triggers.put_secret("acme", "gone", new)


def test_what_fits_nothing_is_counted_by_day(triggers: Triggers) -> None:
    for number in range(3):
        triggers.count_unmatched("acme", is_object=number > 0, at=AT, what=f"thing {number}")
    triggers.count_unmatched("acme", is_object=False, at="2026-01-02T00:00:00.000Z", what="tomorrow")
    today = triggers.unmatched("acme", "2026-01-01")
    assert (today.objects, today.events, today.last, today.last_at) == (2, 1, "thing 2", AT)
    assert triggers.unmatched("acme", "2025-12-31").events == 0


@pytest.fixture
def schedules() -> Iterator[SchedulerSchedules]:
    with mocked_aws():
        boto3.client("scheduler").create_schedule_group(Name="group")
        role = "arn:aws:iam::123456789012:role/starter"
        room = "arn:aws:lambda:us-east-1:123456789012:function:room"
        yield SchedulerSchedules("group", role, room, "arn:aws:sqs:us-east-1:123456789012:failed")


def timed(**said: Any) -> KeptTrigger:
    given = {"kind": "schedule", "s3": None, "schedule": {"expression": "rate(5 minutes)"}}
    return kept("nightly", **{**given, **said})


def test_a_schedule_is_made_once_and_changed(schedules: SchedulerSchedules) -> None:
    schedules.put(timed())
    schedules.put(timed(enabled=False, schedule={"expression": "rate(1 hour)"}))
    scheduler = boto3.client("scheduler")
    (found,) = scheduler.list_schedules(GroupName="group")["Schedules"]
    schedule = scheduler.get_schedule(GroupName="group", Name=found["Name"])
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 hour)", "DISABLED")
    assert '"trigger": "nightly"' in schedule["Target"]["Input"]


def test_a_removed_schedule_may_be_removed_again(schedules: SchedulerSchedules) -> None:
    schedules.put(timed())
    schedules.remove(timed())
    schedules.remove(timed())
    assert boto3.client("scheduler").list_schedules(GroupName="group")["Schedules"] == []


def test_what_the_service_refuses_is_the_callers_to_mend(
    schedules: SchedulerSchedules, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ValidationException", "Message": "No."}}, "CreateSchedule")

    monkeypatch.setattr(clients.client("scheduler"), "create_schedule", refuse)
    with pytest.raises(InvalidRequest, match="refuses the schedule"):
        schedules.put(timed())
