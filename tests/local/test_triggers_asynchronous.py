"""An asynchronous event is tried three times, and a destination gets the result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.executor import Executor, Throttled
from infra.local.laptop import Laptop
from tests.local.kept import KEEP, Queue, kept, queue, wait_kept, word
from tests.local.patience import wait_for

__all__ = ["queue", "word"]


@pytest.fixture
def configure(laptop: Laptop) -> Iterator[Any]:
    """Configure the asynchronous invocations of the function `keep`."""
    lambda_ = laptop.client("lambda")

    def put(**config: Any) -> None:
        lambda_.put_function_event_invoke_config(FunctionName="small-keep", **config)

    put()
    yield put
    lambda_.delete_function_event_invoke_config(FunctionName="small-keep")


def send(laptop: Laptop, event: Any) -> None:
    answer = laptop.client("lambda").invoke(
        FunctionName="small-keep", InvocationType="Event", Payload=json.dumps(event).encode()
    )
    assert answer["StatusCode"] == 202


def test_a_failure_is_tried_again_after_one_and_two_minutes(
    laptop: Laptop, queue: Queue, word: str, configure: Any
) -> None:
    configure(DestinationConfig={"OnFailure": {"Destination": queue.arn}})
    event = {"word": word, "wish": "fail me"}
    others = laptop.clock.waiting()
    send(laptop, event)
    for number, seconds in ((1, 61), (2, 121)):
        wait_kept(laptop, word, number)
        wait_for(lambda: True if laptop.clock.waiting() > others else None)
        assert len(kept(laptop, word)) == number
        laptop.clock.advance(seconds)
    record = queue.body()
    assert len(kept(laptop, word)) == 3
    assert record["version"] == "1.0"
    assert record["requestPayload"] == event
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["functionArn"] == f"{KEEP}:$LATEST"
    assert record["responseContext"] == {
        "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
    }  # fmt: skip
    assert record["responsePayload"]["errorType"] == "RuntimeError"
    lines = (laptop.log_dir / "keep.log").read_text().splitlines()
    started = f"START RequestId: {record['requestContext']['requestId']} "
    assert sum(line.startswith(started) for line in lines) == 3


def test_success_is_told_too(laptop: Laptop, queue: Queue, word: str, configure: Any) -> None:
    configure(DestinationConfig={"OnSuccess": {"Destination": queue.arn}})
    send(laptop, {"word": word})
    record = queue.body()
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"batchItemFailures": []}
    assert "functionError" not in record["responseContext"]


def test_a_function_without_retries_fails_at_once(
    laptop: Laptop, queue: Queue, word: str, configure: Any
) -> None:
    configure(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queue.arn}})
    send(laptop, {"word": word, "wish": "fail me"})
    assert queue.body()["requestContext"]["approximateInvokeCount"] == 1


def test_an_event_grows_too_old(
    laptop: Laptop, queue: Queue, word: str, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def no_place(*_: Any) -> Any:
        asked.append(1)
        raise Throttled("small-keep")

    monkeypatch.setattr(Executor, "invoke", no_place)
    configure(MaximumEventAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": queue.arn}})
    send(laptop, {"word": word})
    wait_for(lambda: True if asked else None)
    laptop.clock.advance(61)
    record = queue.body()
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record


def test_the_bus_and_a_function_can_be_told(laptop: Laptop, queue: Queue, word: str, configure: Any) -> None:
    events = laptop.client("events")
    pattern = {"source": ["lambda"], "detail": {"requestPayload": {"word": [word]}}}
    events.put_rule(Name=word, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=word, Targets=[{"Id": "1", "Arn": queue.arn}])
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
    configure(DestinationConfig={"OnSuccess": {"Destination": bus}})
    send(laptop, {"word": word})
    event = queue.body()
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["resources"] == [f"{KEEP}:$LATEST", bus]
    events.remove_targets(Rule=word, Ids=["1"])
    events.delete_rule(Name=word)
    configure(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": KEEP}})
    send(laptop, {"word": word, "wish": "fail me"})
    records = wait_for(lambda: [r for r in kept(laptop, word) if "requestContext" in r] or None)
    # The record of a failure makes the function fail again, which is recorded in its turn.
    assert {"word": word, "wish": "fail me"} in [record["requestPayload"] for record in records]
