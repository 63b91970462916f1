"""Patches of how moto starts functions and machines, one test for each.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from tests.local.kept import KEEP, Queue, queue, word

__all__ = ["queue", "word"]


def test_event_targets_may_be_functions(laptop: Laptop, word: str) -> None:
    events = laptop.client("events")
    events.put_rule(Name=word, EventPattern=json.dumps({"source": [word]}))
    events.put_targets(Rule=word, Targets=[{"Id": "1", "Arn": KEEP}])
    answer = events.put_events(Entries=[{"Source": word, "DetailType": "test", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 0


def test_rule_schedules_fire(laptop: Laptop, queue: Queue, word: str) -> None:
    events = laptop.client("events")
    events.put_rule(Name=word, ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule=word, Targets=[{"Id": "1", "Arn": queue.arn}])
    laptop.clock.advance(3601)
    assert queue.body()["detail-type"] == "Scheduled Event"
    events.remove_targets(Rule=word, Ids=["1"])
    events.delete_rule(Name=word)


def test_execution_events_are_published(laptop: Laptop, queue: Queue, word: str) -> None:
    states, events = laptop.client("stepfunctions"), laptop.client("events")
    definition = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    machine = states.create_state_machine(
        name=word, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
    )["stateMachineArn"]
    pattern: dict[str, Any] = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    events.put_rule(Name=word, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=word, Targets=[{"Id": "1", "Arn": queue.arn}])
    states.start_execution(stateMachineArn=machine)
    assert {queue.body()["detail"]["status"] for _ in range(2)} == {"RUNNING", "SUCCEEDED"}


def test_queue_receives_wait_for_the_end_of_a_delay(laptop: Laptop, queue: Queue) -> None:
    queue.send("late", DelaySeconds=600)
    laptop.clock.advance(601)
    assert queue.wait()["Body"] == "late"


def test_queue_redrives_bring_dead_letters_back(laptop: Laptop, queue: Queue) -> None:
    policy = json.dumps({"deadLetterTargetArn": queue.arn, "maxReceiveCount": 1})
    source = Queue(laptop, RedrivePolicy=policy)
    queue.send("again")
    laptop.client("sqs").start_message_move_task(SourceArn=queue.arn)
    assert source.wait()["Body"] == "again"


def test_source_mappings_never_run_inside_a_write(laptop: Laptop, queue: Queue) -> None:
    from moto.sqs.models import sqs_backends

    made = laptop.client("lambda").create_event_source_mapping(
        FunctionName="small-keep", EventSourceArn=queue.arn
    )
    stored = sqs_backends["123456789012"]["us-east-1"].queues[queue.name]
    laptop.client("lambda").delete_event_source_mapping(UUID=made["UUID"])
    assert stored.lambda_event_source_mappings == {}


def test_bucket_notifications_tell_of_delete_markers(laptop: Laptop, queue: Queue, word: str) -> None:
    s3 = laptop.client("s3")
    s3.create_bucket(Bucket=word)
    s3.put_bucket_versioning(Bucket=word, VersioningConfiguration={"Status": "Enabled"})
    wish = {"QueueArn": queue.arn, "Events": ["s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=word, NotificationConfiguration={"QueueConfigurations": [wish]}
    )
    assert queue.body()["Event"] == "s3:TestEvent"
    s3.put_object(Bucket=word, Key="a", Body=b"")
    s3.delete_object(Bucket=word, Key="a")
    assert queue.body()["Records"][0]["eventName"] == "ObjectRemoved:DeleteMarkerCreated"


def test_sync_executions_are_an_action(laptop: Laptop) -> None:
    from moto.stepfunctions.responses import StepFunctionResponse

    assert hasattr(StepFunctionResponse, "start_sync_execution")


def test_event_patterns_are_checked_and_tried(laptop: Laptop, word: str) -> None:
    events = laptop.client("events")
    pattern = json.dumps({"detail": {"state": [{"anything-but": None}]}})
    with pytest.raises(ClientError, match="Value of anything-but must be an array or single") as refused:
        events.put_rule(Name=word, EventPattern=pattern)
    assert refused.value.response["Error"]["Code"] == "InvalidEventPatternException"
    event = json.dumps(
        {"id": "1", "source": word, "detail-type": "t", "account": "1", "time": "2026-11-30T00:00:00Z", "region": "r",
         "resources": [], "detail": {"n": 300.0}}
    )  # fmt: skip
    for wanted, expected in ((300, True), (301, False)):
        answer = events.test_event_pattern(EventPattern=json.dumps({"detail": {"n": [wanted]}}), Event=event)
        assert answer["Result"] is expected
