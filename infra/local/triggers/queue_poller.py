"""A poller of a queue: invokes a function with batches, and deletes what was handled."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from moto.awslambda.models import EventSourceMapping
from moto.sqs.models import Message, Queue, sqs_backends

from infra.local import account
from infra.local.engine.sqs import next_change_ms, receive_now
from infra.local.executor import Executor
from infra.local.triggers.clock import Clock
from infra.local.triggers.poller import Poller, failed_ids, passes

CONCURRENCY = 5
"""How many batches Lambda begins with; it scales up only under load."""


class QueuePoller(Poller):
    """Polls a queue; a message that fails is received again after its visibility timeout."""

    def __init__(self, mapping: EventSourceMapping, executor: Executor, clock: Clock) -> None:
        """Read the concurrency and the queue of a mapping."""
        scaling = mapping.scaling_config or {}
        super().__init__(mapping, executor, clock, int(scaling.get("MaximumConcurrency") or CONCURRENCY))
        self._backend = sqs_backends[account.ACCOUNT_ID][account.REGION]
        self._queue_name = mapping.event_source_arn.rsplit(":", 1)[-1]
        self._gathered: list[Message] = []
        self._window_ends_s = 0.0

    def take(self) -> bool:
        """Fill a batch, and begin it when it is full or its window has passed."""
        queue = self._backend.queues.get(self._queue_name)
        if queue is None:
            return False
        size, window_s = int(self.mapping.batch_size), int(self.mapping.max_batch_window or 0)
        found = receive_now(
            self._backend, self._queue_name, size - len(self._gathered), int(queue.visibility_timeout)
        )
        if found and not self._gathered:
            self._window_ends_s = self.clock.now_s() + window_s
            self.wake_at(self._window_ends_s)
        self._gathered += self._wanted(queue, found)
        is_due = len(self._gathered) >= size or self.clock.now_s() >= self._window_ends_s
        if self._gathered and is_due:
            batch, self._gathered = self._gathered, []
            self.begin(partial(self._handle_batch, queue, batch))
            return True
        if not found and (moment_ms := next_change_ms(queue)) is not None:
            self.wake_at(moment_ms / 1000 + 0.001)
        return bool(found)

    def _handle_batch(self, queue: Queue, batch: list[Message]) -> None:
        """Invoke the function with a batch, and delete the messages that it has handled."""
        records = [record_of(queue, message) for message in batch]
        result = self.invoke(json.dumps({"Records": records}).encode())
        failed = failed_ids(self.mapping, result, [message.id for message in batch])
        for message in batch:
            if message.id not in failed:
                self._backend.delete_message(self._queue_name, message.receipt_handle)

    def _wanted(self, queue: Queue, messages: list[Message]) -> list[Message]:
        """Return the messages that match a filter; delete the others, as Lambda does."""
        wanted = []
        for message in messages:
            if passes(self.mapping, _filtered_view(record_of(queue, message))):
                wanted.append(message)
            else:
                self._backend.delete_message(self._queue_name, message.receipt_handle)
        return wanted


def record_of(queue: Queue, message: Message) -> dict[str, Any]:
    """Return a message as functions get it."""
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        "MessageGroupId": message.group_id,
        "MessageDeduplicationId": message.deduplication_id,
        "SequenceNumber": message.sequence_number,
        "AWSTraceHeader": (message.system_attributes.get("AWSTraceHeader") or {}).get("StringValue"),
    }
    record = {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {name: value for name, value in attributes.items() if value is not None},
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.message_attributes or {}).items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": account.REGION,
    }
    if message.message_attributes:
        record["md5OfMessageAttributes"] = message.attribute_md5
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.get("DataType"),
    }
    if value.get("StringValue") is not None:
        attribute["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        content = value["BinaryValue"]
        attribute["binaryValue"] = content.decode() if isinstance(content, bytes) else content
    return attribute


def _filtered_view(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record for filters, with a JSON body decoded."""
    try:
        return {**record, "body": json.loads(record["body"])}
    except ValueError:
        return record
