"""What the room `keep` was told, and queues to look into: how tests of triggers see what arrived."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.patience import wait_for

KEEP = "arn:aws:lambda:us-east-1:123456789012:function:small-keep"


def kept(laptop: Laptop, word: str) -> list[dict[str, Any]]:
    """Every event with this word in it that reached the room, oldest or not."""
    found = laptop.client("dynamodb").query(
        TableName="small-items",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "kept"}},
    )["Items"]
    return [json.loads(item["event"]["S"]) for item in found if word in item["event"]["S"]]


def wait_kept(laptop: Laptop, word: str, number: int = 1) -> list[dict[str, Any]]:
    """Wait until the room was told as often."""
    return wait_for(lambda: found if len(found := kept(laptop, word)) >= number else None)


class Queue:
    """A queue of a test's own."""

    def __init__(self, laptop: Laptop, name: str | None = None, **attributes: str) -> None:
        self.sqs = laptop.client("sqs")
        self.name = name or f"q-{uuid.uuid4().hex[:8]}"
        self.url = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{self.name}"

    def send(self, body: str, **more: Any) -> str:
        return str(self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)["MessageId"])

    def take(self) -> dict[str, Any] | None:
        found = self.sqs.receive_message(
            QueueUrl=self.url, MessageAttributeNames=["All"], AttributeNames=["All"]
        ).get("Messages")
        if not found:
            return None
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=found[0]["ReceiptHandle"])
        message: dict[str, Any] = found[0]
        return message

    def wait(self) -> dict[str, Any]:
        return wait_for(self.take)

    def body(self) -> Any:
        return json.loads(self.wait()["Body"])

    def count(self) -> tuple[int, int]:
        """Messages that wait, and messages that somebody holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


class Mappings:
    """Mappings of a test's own to the room `keep`; they go with it."""

    def __init__(self, laptop: Laptop) -> None:
        self._lambda = laptop.client("lambda")
        self._made: list[str] = []

    def add(self, source_arn: str, **settings: Any) -> str:
        made = self._lambda.create_event_source_mapping(
            FunctionName="small-keep", EventSourceArn=source_arn, **settings
        )
        self._made.append(made["UUID"])
        return str(made["UUID"])

    def remove(self) -> None:
        for uuid_ in self._made:
            self._lambda.delete_event_source_mapping(UUID=uuid_)


@pytest.fixture
def mappings(laptop: Laptop) -> Iterator[Mappings]:
    """A way to map queues and streams to the room `keep`."""
    made = Mappings(laptop)
    yield made
    made.remove()


@pytest.fixture
def word() -> str:
    """A word that no other test's events carry."""
    return f"w{uuid.uuid4().hex}"


@pytest.fixture
def queue(laptop: Laptop) -> Iterator[Queue]:
    """An empty queue."""
    made = Queue(laptop)
    yield made
    made.sqs.delete_queue(QueueUrl=made.url)
