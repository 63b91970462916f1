"""A table's changes reach a function: ordered by key, filtered, retried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.kept import KEEP, Mappings, Queue, kept, mappings, queue, wait_kept, word
from tests.local.patience import wait_for

__all__ = ["mappings", "queue", "word"]


class Table:
    """A table with a stream."""

    def __init__(self, laptop: Laptop, name: str) -> None:
        self.name = name
        self.dynamodb = laptop.client("dynamodb")
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        made = self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        self.stream = made["TableDescription"]["LatestStreamArn"]

    def put(self, pk: str, sk: Any, **more: Any) -> None:
        item = {"pk": {"S": pk}, "sk": {"S": str(sk)}, "word": {"S": self.name}}
        self.dynamodb.put_item(TableName=self.name, Item={**item, **more})


@pytest.fixture
def table(laptop: Laptop, word: str) -> Iterator[Table]:
    made = Table(laptop, word)
    yield made
    made.dynamodb.delete_table(TableName=word)


def changes(laptop: Laptop, word: str) -> list[dict[str, Any]]:
    """All records that arrived, in the order of the stream."""
    records = [record for event in kept(laptop, word) for record in event["Records"]]
    return sorted(records, key=lambda record: int(record["dynamodb"]["SequenceNumber"]))


def test_a_change_arrives_as_on_aws(laptop: Laptop, table: Table, mappings: Mappings) -> None:
    mappings.add(table.stream, StartingPosition="TRIM_HORIZON")
    table.put("a", 1, n={"N": "1.5"})
    table.put("a", 1, n={"N": "1.5"})
    table.dynamodb.delete_item(TableName=table.name, Key={"pk": {"S": "a"}, "sk": {"S": "1"}})
    wait_for(lambda: True if len(changes(laptop, table.name)) == 2 else None)
    made, gone = changes(laptop, table.name)
    assert [made["eventName"], gone["eventName"]] == ["INSERT", "REMOVE"]
    assert made["eventSource"] == "aws:dynamodb"
    assert made["eventSourceARN"] == table.stream
    assert made["dynamodb"]["Keys"] == {"pk": {"S": "a"}, "sk": {"S": "1"}}
    assert made["dynamodb"]["NewImage"]["n"] == {"N": "1.5"}
    assert isinstance(made["dynamodb"]["ApproximateCreationDateTime"], int)
    assert "NewImage" not in gone["dynamodb"]


def test_the_order_of_a_key_is_kept(laptop: Laptop, table: Table, mappings: Mappings) -> None:
    for number in range(10):
        for key in ("a", "b", "c"):
            table.put(key, number)
    mappings.add(table.stream, StartingPosition="TRIM_HORIZON", BatchSize=4)
    wait_for(lambda: True if len(changes(laptop, table.name)) == 30 else None)
    events = kept(laptop, table.name)
    for key in ("a", "b", "c"):
        rows = [
            [int(r["dynamodb"]["Keys"]["sk"]["S"]) for r in e["Records"] if r["dynamodb"]["Keys"]["pk"]["S"] == key]
            for e in events
        ]  # fmt: skip
        assert all(row == list(range(row[0], row[0] + len(row))) for row in rows if row)


def test_the_newest_position_leaves_out_what_was_before(
    laptop: Laptop, table: Table, mappings: Mappings
) -> None:
    table.put("a", "before")
    mappings.add(table.stream, StartingPosition="LATEST")
    table.put("a", "after")
    wait_kept(laptop, table.name)
    assert [r["dynamodb"]["Keys"]["sk"]["S"] for r in changes(laptop, table.name)] == ["after"]


def test_a_filter_lets_through_what_it_names(laptop: Laptop, table: Table, mappings: Mappings) -> None:
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["ended"]}}}}
    mappings.add(
        table.stream,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]},
    )
    table.put("a", 1, kind={"S": "turn"})
    table.put("a", 2, kind={"S": "ended"})
    wait_kept(laptop, table.name)
    assert [r["dynamodb"]["Keys"]["sk"]["S"] for r in changes(laptop, table.name)] == ["2"]


def test_a_failing_record_holds_up_its_key_and_no_other(
    laptop: Laptop, table: Table, mappings: Mappings, queue: Queue
) -> None:
    mappings.add(
        table.stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=1,
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    table.put("a", 1, wish={"S": "fail me"})
    table.put("a", 2)
    table.put("d", 1)
    wait_for(lambda: True if '"d"' in json.dumps(changes(laptop, table.name)) else None)
    moving(laptop, lambda: True if has_both(laptop, table) else None)
    told = queue.body()
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["requestContext"]["functionArn"] == KEEP
    info = told["DDBStreamBatchInfo"]
    assert (info["batchSize"], info["streamArn"]) == (1, table.stream)
    assert info["startSequenceNumber"] == failures(laptop, table)[0]["dynamodb"]["SequenceNumber"]


def moving(laptop: Laptop, question: Callable[[], bool | None]) -> None:
    """Let the time run fast until there is an answer."""

    def ask() -> bool | None:
        laptop.clock.advance(5)
        return question()

    wait_for(ask)


def has_both(laptop: Laptop, table: Table) -> bool:
    """Whether the record behind the failing one has come, which it may only after three tries."""
    records = changes(laptop, table.name)
    has_second = any(r["dynamodb"]["Keys"] == {"pk": {"S": "a"}, "sk": {"S": "2"}} for r in records)
    tries = sum("fail me" in json.dumps(record) for record in records)
    assert tries == 3 if has_second else tries <= 3
    return has_second


def failures(laptop: Laptop, table: Table) -> list[dict[str, Any]]:
    return [record for record in changes(laptop, table.name) if "fail me" in json.dumps(record)]


def sks(laptop: Laptop, table: Table, pk: str) -> set[str]:
    keys = [record["dynamodb"]["Keys"] for record in changes(laptop, table.name)]
    return {key["sk"]["S"] for key in keys if key["pk"]["S"] == pk}


def test_a_failing_batch_is_halved_until_the_bad_record_is_alone(
    laptop: Laptop, table: Table, mappings: Mappings, queue: Queue
) -> None:
    for number in range(8):
        table.put("a", number, **({"wish": {"S": "fail me"}} if number == 5 else {}))
    mappings.add(
        table.stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=8,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    assert queue.body()["DDBStreamBatchInfo"]["batchSize"] == 1
    wait_for(lambda: True if len(kept(laptop, table.name)) >= 7 else None)
    sizes = [len(event["Records"]) for event in kept(laptop, table.name)]
    assert sorted(sizes, reverse=True) == [8, 4, 4, 2, 2, 1, 1]


def test_a_batch_goes_on_from_the_first_refused_record(
    laptop: Laptop, table: Table, mappings: Mappings
) -> None:
    for number in range(4):
        table.put("a", number, **({"wish": {"S": "refuse me"}} if number == 2 else {}))
    mappings.add(
        table.stream,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    moving(laptop, lambda: True if len(kept(laptop, table.name)) == 2 else None)
    sizes = sorted(len(event["Records"]) for event in kept(laptop, table.name))
    assert sizes == [2, 4]


def test_a_write_does_not_wait_for_the_function(laptop: Laptop, table: Table, mappings: Mappings) -> None:
    """The function writes to the same DynamoDB: inside the lock of the first write it would wait for ever."""
    mappings.add(table.stream, StartingPosition="TRIM_HORIZON")
    for number in range(5):
        table.put("a", number)
    wait_for(lambda: True if len(changes(laptop, table.name)) == 5 else None)
