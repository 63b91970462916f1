"""Events are matched with rules, and every kind of target gets its input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.kept import KEEP, Queue, queue, wait_kept, word
from tests.local.patience import run_machine, wait_for

__all__ = ["queue", "word"]
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


class Rules:
    """Rules of one test; they go with it."""

    def __init__(self, laptop: Laptop) -> None:
        self.events = laptop.client("events")
        self.made: list[str] = []

    def add(self, name: str, pattern: Any, *targets: dict[str, Any], **more: Any) -> None:
        wish = {"EventPattern": json.dumps(pattern)} if pattern else {}
        self.events.put_rule(Name=name, **wish, **more)
        self.events.put_targets(
            Rule=name, Targets=[{"Id": str(number), **target} for number, target in enumerate(targets)]
        )
        self.made.append(name)

    def put(self, source: str, detail: Any, **more: Any) -> dict[str, Any]:
        entry = {"Source": source, "DetailType": "test", "Detail": json.dumps(detail), **more}
        answer: dict[str, Any] = self.events.put_events(Entries=[entry])
        return answer

    def remove(self) -> None:
        for name in self.made:
            ids = [target["Id"] for target in self.events.list_targets_by_rule(Rule=name)["Targets"]]
            self.events.remove_targets(Rule=name, Ids=ids)
            self.events.delete_rule(Name=name)


@pytest.fixture
def rules(laptop: Laptop) -> Iterator[Rules]:
    made = Rules(laptop)
    yield made
    made.remove()


def make_machine(laptop: Laptop, name: str, definition: Any, **more: Any) -> str:
    made = laptop.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any", **more
    )
    return str(made["stateMachineArn"])


def test_one_event_reaches_a_function_a_queue_and_a_machine(
    laptop: Laptop, rules: Rules, queue: Queue, word: str
) -> None:
    machine = make_machine(laptop, f"by-{word}", PASS)
    rules.add(word, {"source": [word]}, {"Arn": KEEP}, {"Arn": queue.arn}, {"Arn": machine, "RoleArn": KEEP})
    assert rules.put(word, {"n": 1})["FailedEntryCount"] == 0
    (event,) = wait_kept(laptop, word)
    assert (event["source"], event["detail-type"], event["detail"]) == (word, "test", {"n": 1})
    assert sorted(event) == [
        "account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version",
    ]  # fmt: skip
    assert event["time"].endswith("Z")
    assert queue.body() == event
    states = laptop.client("stepfunctions")
    execution = wait_for(
        lambda: next(iter(states.list_executions(stateMachineArn=machine)["executions"]), None)
    )
    assert json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"]) == event


def test_a_rule_takes_what_it_asks_for_and_no_more(rules: Rules, queue: Queue, word: str) -> None:
    wanted = {"source": [word], "detail": {"state": [{"prefix": "fail"}], "n": [{"numeric": [">", 1]}]}}
    rules.add(word, wanted, {"Arn": queue.arn, "InputPath": "$.detail.n"})
    rules.add(f"{word}-off", {"source": [word]}, {"Arn": queue.arn}, State="DISABLED")
    for detail in ({"state": "fine", "n": 2}, {"state": "failed", "n": 1}, {"state": "failed", "n": 3}):
        rules.put(word, detail)
    assert queue.body() == 3
    assert queue.count() == (0, 0)


def test_a_template_is_filled_in_safely(rules: Rules, queue: Queue, word: str) -> None:
    transformer = {
        "InputPathsMap": {"who": "$.detail.who", "list": "$.detail.list", "none": "$.detail.none"},
        "InputTemplate": '{"who": <who>, "told": "<who> has <list>", "list": <list>, "none": <none>, '
        '"rule": <aws.events.rule-name>}',
    }
    rules.add(word, {"source": [word]}, {"Arn": queue.arn, "InputTransformer": transformer})
    rules.put(word, {"who": 'O"Hara\\', "list": [1, {"a": 2}]})
    assert queue.body() == {
        "who": 'O"Hara\\',
        "told": 'O"Hara\\ has [1,{"a":2}]',
        "list": [1, {"a": 2}],
        "none": None,
        "rule": word,
    }


def test_what_cannot_be_delivered_is_a_dead_letter(rules: Rules, queue: Queue, word: str) -> None:
    nowhere = KEEP.replace("keep", "nobody")
    rules.add(word, {"source": [word]}, {"Arn": nowhere, "DeadLetterConfig": {"Arn": queue.arn}})
    rules.put(word, {"n": 1})
    letter = queue.wait()
    assert json.loads(letter["Body"])["detail"] == {"n": 1}
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told["RULE_ARN"].endswith(f"rule/{word}")
    assert (told["TARGET_ARN"], told["ERROR_CODE"]) == (nowhere, "ResourceNotFoundException")


def test_a_delivery_is_tried_as_often_as_the_policy_says(
    laptop: Laptop, rules: Rules, queue: Queue, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.awslambda.models import LambdaBackend

    tried: list[int] = []

    def busy(*_: Any, **__: Any) -> Any:
        tried.append(1)
        raise TypeError("the service is ill")

    monkeypatch.setattr(LambdaBackend, "invoke", busy)
    policy = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    target = {"Arn": KEEP, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": queue.arn}}
    rules.add(word, {"source": [word]}, target)
    rules.put(word, {"n": 1})
    for number in range(1, 5):
        wait_for(lambda number=number: True if len(tried) == number else None)
        laptop.clock.advance(60)
    told = {name: value["StringValue"] for name, value in queue.wait()["MessageAttributes"].items()}
    assert (told["RETRY_ATTEMPTS"], told["EXHAUSTED_RETRY_CONDITION"]) == ("3", "MaximumRetryAttempts")


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        ({"Type": "Pass", "End": True}, ["RUNNING", "SUCCEEDED"]),
        ({"Type": "Fail", "Error": "Broken", "Cause": "by wish"}, ["RUNNING", "FAILED"]),
    ],
)
def test_executions_publish_what_they_become(
    laptop: Laptop, rules: Rules, queue: Queue, word: str, state: Any, statuses: list[str]
) -> None:
    machine = make_machine(laptop, f"x-{word}", {"StartAt": "A", "States": {"A": state}})
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    rules.add(word, pattern, {"Arn": queue.arn})
    done = run_machine(laptop, machine, '{"a":1}')
    events = sorted(
        (queue.body() for _ in statuses), key=lambda event: event["detail"]["status"] != "RUNNING"
    )
    assert [event["detail"]["status"] for event in events] == statuses
    assert events[0]["detail-type"] == "Step Functions Execution Status Change"
    assert events[0]["resources"] == [done["executionArn"]]
    first, last = (event["detail"] for event in events)
    assert (first["name"], first["input"], first["stopDate"]) == (done["name"], '{"a":1}', None)
    assert (last["error"], last["cause"]) == (done.get("error"), done.get("cause"))
    assert last["output"] == ('{"a":1}' if done["status"] == "SUCCEEDED" else None)
    assert last["stopDate"] == int(done["stopDate"].timestamp() * 1000)


def test_stopped_and_late_executions_publish_it(
    laptop: Laptop, rules: Rules, queue: Queue, word: str
) -> None:
    waits = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 30, "End": True}}}
    stopped, late = make_machine(laptop, f"s-{word}", waits), make_machine(laptop, f"l-{word}", {**waits, "TimeoutSeconds": 1})  # fmt: skip
    ended = [{"anything-but": ["RUNNING", "SUCCEEDED"]}]
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [stopped, late], "status": ended}}
    rules.add(word, pattern, {"Arn": queue.arn})
    states = laptop.client("stepfunctions")
    states.start_execution(stateMachineArn=late)
    execution = states.start_execution(stateMachineArn=stopped)["executionArn"]
    states.stop_execution(executionArn=execution, error="Cancelled", cause="by a person")
    details = {event["status"]: event for event in (queue.body()["detail"] for _ in range(2))}
    assert set(details) == {"ABORTED", "TIMED_OUT"}
    assert (details["ABORTED"]["error"], details["ABORTED"]["cause"]) == ("Cancelled", "by a person")
    assert queue.count() == (0, 0)
