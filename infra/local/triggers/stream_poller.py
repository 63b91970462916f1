"""A poller of a table's stream: in order for each key, with retries and a destination.

A table on demand begins with four shards on AWS. Here as many lanes separate the keys, so that a batch that fails blocks its
own lane only. Source: "Using AWS Lambda with Amazon DynamoDB" of the Lambda guide.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from moto.awslambda.models import EventSourceMapping
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard

from infra.local import account
from infra.local.engine.dynamodb import actions
from infra.local.executor import Executor, InvocationResult
from infra.local.triggers.clock import Clock
from infra.local.triggers.delivery import ClientFactory, send_message
from infra.local.triggers.poller import Poller, failed_ids, passes

SHARDS = 4
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

Record = dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """Records for one invocation, and how often the function has failed on them."""

    records: tuple[Record, ...]
    tried: int = 0
    not_before_s: float = 0.0


@dataclass
class Lane:
    """Records in order, of which one batch is in progress at a time."""

    records: deque[tuple[float, Record]] = field(default_factory=deque)
    again: deque[Batch] = field(default_factory=deque)
    is_busy: bool = False


class StreamPoller(Poller):
    """Polls a table's stream."""

    def __init__(
        self, mapping: EventSourceMapping, executor: Executor, clock: Clock, client: ClientFactory
    ) -> None:
        """Start at the mapping's position: the oldest record, or the next one."""
        lanes = SHARDS * int(mapping.parallelization_factor or 1)
        super().__init__(mapping, executor, clock, lanes)
        self._client = client
        self._lanes = [Lane() for _ in range(lanes)]
        name = mapping.event_source_arn.split("/")[1]
        self._table = dynamodb_backends[account.ACCOUNT_ID][account.REGION].tables[name]
        self._read = 0 if mapping.starting_position == "TRIM_HORIZON" else len(self._shard.items)

    @property
    def table_name(self) -> str:
        """The table of the stream."""
        return str(self._table.name)

    @property
    def _shard(self) -> StreamShard:
        return self._table.stream_shard

    def take(self) -> bool:
        """Put new records into their lanes, and begin a batch of each lane that is due."""
        for record in self._new_records():
            lane = self._lanes[_lane_of(record, self._table.hash_key_attr, len(self._lanes))]
            lane.records.append((self.clock.now_s(), record))
        for lane in self._lanes:
            if not lane.is_busy and (batch := self._due(lane)) is not None:
                lane.is_busy = True
                self.begin(partial(self._handle_batch, lane, batch))
        return False

    def _handle_batch(self, lane: Lane, batch: Batch) -> None:
        """Invoke the function with a batch, after which its lane is free for the next."""
        try:
            result = self.invoke(json.dumps({"Records": batch.records}, default=str).encode())
            lane.again.extendleft(reversed(self._left_over(batch, result)))
        finally:
            lane.is_busy = False

    def _new_records(self) -> list[Record]:
        with actions.held():
            new = [self._event(item.to_json()) for item in self._shard.items[self._read :]]
            self._read = len(self._shard.items)
        return [record for record in new if passes(self.mapping, record)]

    def _event(self, record: Record) -> Record:
        moment = record["dynamodb"]["ApproximateCreationDateTime"]
        created_s = int(moment.replace(tzinfo=UTC).timestamp())
        change = {**record["dynamodb"], "ApproximateCreationDateTime": created_s}
        return {**record, "dynamodb": change, "eventSourceARN": self.mapping.event_source_arn}

    def _due(self, lane: Lane) -> Batch | None:
        now_s = self.clock.now_s()
        if lane.again:
            if lane.again[0].not_before_s <= now_s:
                return lane.again.popleft()
            self.wake_at(lane.again[0].not_before_s)
            return None
        if not lane.records:
            return None
        size = int(self.mapping.batch_size)
        window_ends_s = lane.records[0][0] + int(self.mapping.max_batch_window or 0)
        if len(lane.records) < size and now_s < window_ends_s:
            self.wake_at(window_ends_s)
            return None
        return Batch(tuple(lane.records.popleft()[1] for _ in range(min(size, len(lane.records)))))

    def _left_over(self, batch: Batch, result: InvocationResult | None) -> list[Batch]:
        """Return the batches to retry: from the first failed record on, in halves if configured."""
        if result is None:
            return [replace(batch, not_before_s=self.clock.now_s() + FIRST_PAUSE_S)]
        ids = [record["dynamodb"]["SequenceNumber"] for record in batch.records]
        failed = failed_ids(self.mapping, result, ids)
        if not failed:
            return []
        first = next(number for number, each in enumerate(ids) if each in failed)
        batch = replace(batch, records=batch.records[first:])
        if len(batch.records) > 1 and self.mapping.bisect_on_error:
            half = len(batch.records) // 2
            return [replace(batch, records=part) for part in (batch.records[:half], batch.records[half:])]
        return self._again(batch, result)

    def _again(self, batch: Batch, result: InvocationResult) -> list[Batch]:
        now_s, tried = self.clock.now_s(), batch.tried + 1
        retries, oldest_s = self.mapping.max_retry_attempts, self.mapping.max_record_age
        pause_s = min(FIRST_PAUSE_S * 2**batch.tried, LONGEST_PAUSE_S)
        age_s = now_s + pause_s - batch.records[0]["dynamodb"]["ApproximateCreationDateTime"]
        if retries is not None and 0 <= int(retries) < tried:
            self._give_up(batch, result, "RetryAttemptsExhausted", tried)
        elif oldest_s is not None and 0 < int(oldest_s) < age_s:
            self._give_up(batch, result, "RecordAgeExceeded", tried)
        else:
            return [replace(batch, tried=tried, not_before_s=now_s + pause_s)]
        return []

    def _give_up(self, batch: Batch, result: InvocationResult, condition: str, tried: int) -> None:
        """Send the position of the records to the destination; they stay in the stream."""
        destination = ((self.mapping.destination_config or {}).get("OnFailure") or {}).get("Destination")
        if not destination:
            return
        first, last = (batch.records[end]["dynamodb"] for end in (0, -1))
        record = {
            "requestContext": {
                "requestId": result.request_id or str(uuid.uuid4()),
                "functionArn": self.mapping.function_arn,
                "condition": condition,
                "approximateInvokeCount": tried,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": result.function_error or "Unhandled",
            },
            "version": "1.0",
            "timestamp": _time_text(self.clock.now_s()),
            "DDBStreamBatchInfo": {
                "shardId": self._shard.id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _time_text(first["ApproximateCreationDateTime"]),
                "approximateArrivalOfLastRecord": _time_text(last["ApproximateCreationDateTime"]),
                "batchSize": len(batch.records),
                "streamArn": self.mapping.event_source_arn,
            },
        }
        send_message(self._client, destination, json.dumps(record))


def _lane_of(record: Record, key: str, lanes: int) -> int:
    content = json.dumps(record["dynamodb"]["Keys"][key], sort_keys=True, default=str)
    return zlib.crc32(content.encode()) % lanes


def _time_text(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
