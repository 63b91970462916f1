"""Errors of executions, how they are caught and reported, as AWS documents them.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from tests.local.patience import run_machine
from tests.local.test_engine_truth import events, make, run

ECHO = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}


def caught(laptop: Laptop, name: str, task: dict[str, Any], error: str) -> dict[str, Any]:
    states = {
        "A": {**task, "Catch": [{"ErrorEquals": [error], "Next": "B"}], "End": True},
        "B": {"Type": "Pass", "End": True},
    }
    return run_machine(laptop, make(laptop, name, {"StartAt": "A", "States": states}))


@pytest.mark.parametrize(
    ("error", "status"), [("States.DataLimitExceeded", "SUCCEEDED"), ("States.ALL", "FAILED")]
)
def test_terminal_errors_of_size_are_caught_by_their_name_only(
    laptop: Laptop, error: str, status: str
) -> None:
    task = {**ECHO, "Parameters": {"FunctionName": "small-echo", "Payload": {"bytes": 300_000}}}
    told = caught(laptop, f"language-size-{status.lower()}", task, error)
    words = "The state/task 'arn:aws:states:::lambda:invoke' returned a result with a size exceeding the maximum number of bytes service limit."
    assert told["status"] == status
    failed = next(event for event in events(laptop, told) if event["type"] == "TaskFailed")
    assert failed["taskFailedEventDetails"]["cause"] == words


def test_terminal_errors_of_the_definition_are_not_among_all(laptop: Laptop) -> None:
    task = {**ECHO, "Parameters": {"FunctionName": "small-echo", "Payload.$": "$.no"}}
    told = caught(laptop, "language-runtime", task, "States.ALL")
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")


def test_terminal_errors_know_heartbeats_by_their_name(laptop: Laptop) -> None:
    queue = laptop.client("sqs").create_queue(QueueName="language-heartbeats")["QueueUrl"]
    task = {
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": "x"}, "HeartbeatSeconds": 1, "TimeoutSeconds": 60,
    }  # fmt: skip
    assert caught(laptop, "language-heartbeat", task, "States.HeartbeatTimeout")["status"] == "SUCCEEDED"


def test_path_errors_say_that_items_are_no_array(laptop: Laptop) -> None:
    each = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}
    told = run(
        laptop, "language-items", {"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": each}, {"l": {}}
    )
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert (told["error"], told["cause"]) == (
        "States.Runtime",
        f'{place}Reference path "$.l" must point to array.',
    )
    assert [event["type"] for event in events(laptop, told)] == [
        "ExecutionStarted",
        "MapStateEntered",
        "ExecutionFailed",
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "a b"}, "InvalidName"),
        ({"name": "a/b"}, "InvalidName"),
        ({"name": "x" * 81}, "ValidationException"),
        ({"input": "nope"}, "InvalidExecutionInput"),
    ],
)
def test_execution_limits_refuse_names_and_what_is_no_json(
    laptop: Laptop, given: dict[str, str], code: str
) -> None:
    made = make(laptop, "language-starts", {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    with pytest.raises(ClientError) as caught:
        laptop.client("stepfunctions").start_execution(stateMachineArn=made, **given)
    assert caught.value.response["Error"]["Code"] == code


def test_task_failures_are_none_of_an_output_that_is_no_json(laptop: Laptop) -> None:
    with pytest.raises(ClientError) as caught:
        laptop.client("stepfunctions").send_task_success(taskToken="t", output="nope")
    assert caught.value.response["Error"]["Code"] == "InvalidOutput"


@pytest.mark.parametrize("field", ["Error", "Cause"])
def test_query_errors_say_that_a_failure_is_told_by_texts(laptop: Laptop, field: str) -> None:
    state = {"Type": "Fail", field: "{% 5 %}"}
    told = run(laptop, f"language-fail-{field}", state, {}, "JSONata")
    assert told["error"] == "States.QueryEvaluationError"
    words = f"specified for the field '{field}' returned an unexpected result type. Expected 'string', but was 'number' for value: 5"
    assert told["cause"].endswith(words)
