"""A bucket sends the configured events to their targets, after the change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.deployer.resources.data import notification_request
from infra.local.laptop import Laptop
from tests.local.kept import KEEP, Queue, queue, wait_kept, word

__all__ = ["queue", "word"]
Configure = Callable[..., None]


@pytest.fixture
def bucket(laptop: Laptop, word: str) -> str:
    laptop.client("s3").create_bucket(Bucket=word)
    return word


def notify(laptop: Laptop, bucket: str, **template: Any) -> None:
    """Configure a bucket in the words of a template."""
    laptop.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notification_request(template)
    )


def wish(target: str, arn: str, event: str, **rules: str) -> dict[str, Any]:
    filters = [{"Name": name, "Value": value} for name, value in rules.items()]
    filtered = {"Filter": {"S3Key": {"Rules": filters}}} if rules else {}
    return {target: arn, "Event": event, **filtered}


def put(laptop: Laptop, bucket: str, key: str) -> None:
    laptop.client("s3").put_object(Bucket=bucket, Key=key, Body=b"12345")


def test_a_function_is_told_what_fits_prefix_and_suffix(laptop: Laptop, bucket: str) -> None:
    created = wish("Function", KEEP, "s3:ObjectCreated:*", prefix="in/", suffix=".csv")
    notify(laptop, bucket, LambdaConfigurations=[created])
    for key in ("out/a.csv", "in/a.txt", "in/a b.csv"):
        put(laptop, bucket, key)
    (event,) = wait_kept(laptop, bucket)
    (record,) = event["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert (record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) == (bucket, "in/a+b.csv")
    assert (record["s3"]["object"]["size"], record["eventVersion"]) == (5, "2.1")
    assert record["s3"]["object"]["sequencer"]


def test_a_queue_is_told_of_what_goes(laptop: Laptop, bucket: str, queue: Queue) -> None:
    notify(laptop, bucket, QueueConfigurations=[wish("Queue", queue.arn, "s3:ObjectRemoved:*")])
    assert queue.body()["Event"] == "s3:TestEvent"
    put(laptop, bucket, "a")
    laptop.client("s3").delete_object(Bucket=bucket, Key="a")
    (record,) = queue.body()["Records"]
    assert record["eventName"] == "ObjectRemoved:Delete"


def test_a_versioned_bucket_tells_of_delete_markers(laptop: Laptop, bucket: str, queue: Queue) -> None:
    s3 = laptop.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    notify(laptop, bucket, QueueConfigurations=[wish("Queue", queue.arn, "s3:ObjectRemoved:*")])
    queue.wait()
    put(laptop, bucket, "a")
    s3.delete_object(Bucket=bucket, Key="a")
    (record,) = queue.body()["Records"]
    assert record["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert record["s3"]["object"]["versionId"]


def test_the_bus_is_told_in_its_own_words(laptop: Laptop, bucket: str, queue: Queue) -> None:
    events = laptop.client("events")
    pattern = {
        "source": ["aws.s3"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "in/"}]}},
    }
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "1", "Arn": queue.arn}])
    notify(laptop, bucket, EventBridgeConfiguration={"EventBridgeEnabled": True})
    put(laptop, bucket, "elsewhere")
    put(laptop, bucket, "in/a b")
    event = queue.body()
    assert (event["detail-type"], event["resources"]) == ("Object Created", [f"arn:aws:s3:::{bucket}"])
    assert (event["detail"]["object"]["key"], event["detail"]["reason"]) == ("in/a b", "PutObject")
    assert queue.count() == (0, 0)
    tagging = {"TagSet": [{"Key": "a", "Value": "b"}]}
    laptop.client("s3").put_object_tagging(Bucket=bucket, Key="in/a b", Tagging=tagging)
    assert queue.body()["detail-type"] == "Object Tags Added"


def test_a_change_does_not_wait_for_the_function(laptop: Laptop, bucket: str) -> None:
    """The function fails; the one who put the object has long been answered."""
    notify(laptop, bucket, LambdaConfigurations=[wish("Function", KEEP, "s3:ObjectCreated:*")])
    put(laptop, bucket, "fail me")
    wait_kept(laptop, bucket)
