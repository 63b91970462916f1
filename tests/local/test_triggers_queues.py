"""Messages reach a function in batches; failures are retried, then dead letters."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.kept import Mappings, Queue, kept, mappings, queue, wait_kept, word
from tests.local.patience import wait_for

__all__ = ["mappings", "queue", "word"]
PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def is_empty(queue: Queue) -> bool | None:
    return True if queue.count() == (0, 0) else None


def test_a_message_arrives_as_on_aws_and_is_deleted(
    laptop: Laptop, queue: Queue, word: str, mappings: Mappings
) -> None:
    mappings.add(queue.arn)
    attribute = {"colour": {"DataType": "String", "StringValue": "green"}}
    message = queue.send(word, MessageAttributes=attribute)
    (event,) = wait_kept(laptop, word)
    (record,) = event["Records"]
    assert (record["messageId"], record["body"]) == (message, word)
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == queue.arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"].isdigit()
    assert record["messageAttributes"]["colour"]["stringValue"] == "green"
    wait_for(lambda: is_empty(queue))


def test_what_waits_comes_in_batches(laptop: Laptop, queue: Queue, word: str, mappings: Mappings) -> None:
    for number in range(7):
        queue.send(f"{word} {number}")
    mappings.add(queue.arn, BatchSize=3)
    wait_for(lambda: is_empty(queue))
    events = kept(laptop, word)
    assert sorted(len(event["Records"]) for event in events) == [1, 3, 3]


def test_a_window_gathers_until_it_ends(laptop: Laptop, queue: Queue, word: str, mappings: Mappings) -> None:
    mappings.add(queue.arn, BatchSize=100, MaximumBatchingWindowInSeconds=20)
    for number in range(4):
        queue.send(f"{word} {number}")
    wait_for(lambda: True if queue.count() == (0, 4) else None)
    assert kept(laptop, word) == []
    laptop.clock.advance(21)
    (event,) = wait_kept(laptop, word)
    assert len(event["Records"]) == 4


def test_only_the_failed_ones_come_again(laptop: Laptop, queue: Queue, word: str, mappings: Mappings) -> None:
    for body in ("good", "refuse me", "fine"):
        queue.send(f"{word} {body}")
    mappings.add(queue.arn, **PARTIAL)
    wait_for(lambda: True if queue.count() == (0, 1) else None)
    laptop.clock.advance(31)
    events = wait_for(
        lambda: [e for e in kept(laptop, word) if "refuse me" in e["Records"][0]["body"] and len(e["Records"]) == 1] or None
    )  # fmt: skip
    assert events[-1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_failed_batch_comes_again_and_ends_with_the_dead_letters_and_back(
    laptop: Laptop, word: str, mappings: Mappings
) -> None:
    dead = Queue(laptop)
    redrive = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
    queue = Queue(laptop, RedrivePolicy=redrive, VisibilityTimeout="30")
    uuid_ = mappings.add(queue.arn)
    queue.send(f"{word} fail me")
    for number in (1, 2):
        wait_kept(laptop, word, number)
        laptop.clock.advance(31)
    wait_for(lambda: True if dead.count() == (1, 0) else None)
    assert (len(kept(laptop, word)), queue.count()) == (2, (0, 0))
    laptop.client("lambda").update_event_source_mapping(UUID=uuid_, Enabled=False)
    laptop.client("sqs").start_message_move_task(SourceArn=dead.arn)
    assert (dead.count(), queue.count()) == ((0, 0), (1, 0))
    laptop.client("lambda").update_event_source_mapping(UUID=uuid_, Enabled=True)
    wait_kept(laptop, word, 3)
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in kept(laptop, word)]
    assert sorted(counts) == ["1", "1", "2"]


def test_a_delayed_message_comes_when_its_time_has_come(
    laptop: Laptop, queue: Queue, word: str, mappings: Mappings
) -> None:
    mappings.add(queue.arn)
    queue.send(f"{word} late", DelaySeconds=300)
    queue.send(f"{word} now")
    wait_kept(laptop, f"{word} now")
    assert kept(laptop, f"{word} late") == []
    laptop.clock.advance(301)
    wait_kept(laptop, f"{word} late")


def test_what_no_filter_wants_is_deleted(laptop: Laptop, queue: Queue, word: str, mappings: Mappings) -> None:
    pattern = json.dumps({"body": {"kind": ["order"]}})
    mappings.add(queue.arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    for kind in ("note", "order", "note"):
        queue.send(json.dumps({"kind": kind, "word": word}))
    wait_for(lambda: is_empty(queue))
    (event,) = wait_kept(laptop, word)
    assert [json.loads(record["body"])["kind"] for record in event["Records"]] == ["order"]


def test_a_fifo_group_keeps_its_order_even_over_a_failure(
    laptop: Laptop, word: str, mappings: Mappings
) -> None:
    queue = Queue(laptop, f"{word[:20]}.fifo", FifoQueue="true", VisibilityTimeout="30")
    for number in range(3):
        for group in ("a", "b"):
            body = f"{word} {group}{number}" + (" fail me" if (group, number) == ("a", 0) else "")
            queue.send(body, MessageGroupId=group, MessageDeduplicationId=f"{group}{number}")
    mappings.add(queue.arn, BatchSize=1)
    wait_for(lambda: True if len(kept(laptop, f"{word} b")) == 3 else None)
    assert kept(laptop, f"{word} a1") == []
    wait_for(lambda: True if queue.count() == (2, 1) else None)
    laptop.clock.advance(31)
    wait_for(lambda: True if len(kept(laptop, f"{word} a0")) == 2 else None)
    assert kept(laptop, f"{word} a1") == []


def test_a_fifo_queue_knows_an_id_for_five_minutes(laptop: Laptop, word: str) -> None:
    queue = Queue(laptop, f"{word[:20]}.fifo", FifoQueue="true")
    for body in ("first", "twice"):
        queue.send(body, MessageGroupId="a", MessageDeduplicationId="same")
    assert (queue.wait()["Body"], queue.count()) == ("first", (0, 0))
    queue.send("after its end", MessageGroupId="a", MessageDeduplicationId="same")
    assert queue.count() == (0, 0)
    laptop.clock.advance(301)
    queue.send("much later", MessageGroupId="a", MessageDeduplicationId="same")
    assert queue.wait()["Body"] == "much later"


def test_the_quiet_group_of_a_fair_queue_comes_first(laptop: Laptop, queue: Queue, word: str) -> None:
    from moto.sqs.models import sqs_backends

    from infra.local.engine.sqs import receive_now

    for number in range(6):
        queue.send(f"loud {number}", MessageGroupId="loud")
    backend = sqs_backends["123456789012"]["us-east-1"]
    receive_now(backend, queue.name, 3, 30)
    queue.send("quiet", MessageGroupId="quiet")
    (message,) = receive_now(backend, queue.name, 1, 30)
    assert message.body == "quiet"


def test_no_more_batches_are_under_way_than_allowed(
    laptop: Laptop, queue: Queue, word: str, mappings: Mappings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.local.executor import Executor

    inside, most, original, lock = [0], [0], Executor.invoke, threading.Lock()
    gate = threading.Semaphore(0)

    def watched(executor: Executor, name: str, payload: bytes) -> Any:
        if word.encode() not in payload:
            return original(executor, name, payload)
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        gate.acquire()
        with lock:
            inside[0] -= 1
        return original(executor, name, payload)

    monkeypatch.setattr(Executor, "invoke", watched)
    mappings.add(queue.arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    for number in range(6):
        queue.send(f"{word} {number}")
    wait_for(lambda: True if inside == [2] else None)
    gate.release(6)
    wait_for(lambda: is_empty(queue))
    assert most == [2]


def test_two_receivers_never_get_the_same_message(queue: Queue) -> None:
    for number in range(40):
        queue.send(str(number))
    taken: list[str] = []

    def take() -> None:
        while (message := queue.take()) is not None:
            taken.append(message["Body"])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=int) == [str(number) for number in range(40)]


def test_a_receiver_that_waits_sees_what_comes(laptop: Laptop, queue: Queue) -> None:
    found: list[Any] = []
    wait = threading.Thread(
        target=lambda: found.append(queue.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=20))
    )
    wait.start()
    queue.send("at last")
    wait.join()
    assert found[0]["Messages"][0]["Body"] == "at last"
