"""Task tokens are answered once, and only while their task waits.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint

from infra.local.laptop import Laptop
from tests.local.patience import wait_for
from tests.local.probe_stack import allow, call, granted
from tests.local.test_engine_patches import make

Waiting = tuple[str, str]
"""The ARN of an execution and the token that it waits for."""


@pytest.fixture
def waiting(laptop: Laptop) -> Callable[..., Waiting]:
    """Start an execution that waits for a token, and take the token from a queue of its own."""
    sqs = laptop.client("sqs")

    def start(name: str, **more: Any) -> Waiting:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": url, "MessageBody.$": "$$.Task.Token"},
            **more,
        }
        # It waits on after the token, so that the answer is not refused for the execution's end.
        states = {"A": {**task, "Next": "B"}, "B": {"Type": "Wait", "Seconds": 60, "End": True}}
        machine = make(laptop, name, {"StartAt": "A", "States": states})
        arn = laptop.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
        return arn, wait_for(
            lambda: (sqs.receive_message(QueueUrl=url).get("Messages") or [{}])[0].get("Body")
        )

    return start


def test_used_tokens_are_told_from_unknown_ones(laptop: Laptop, waiting: Callable[..., Waiting]) -> None:
    states = laptop.client("stepfunctions")
    arn, token = waiting("answered-twice")
    states.send_task_success(taskToken=token, output="1")
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_success(taskToken=token, output="2")
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_failure(taskToken=token, error="E")
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_heartbeat(taskToken=token)
    states.stop_execution(executionArn=arn)
    with pytest.raises(states.exceptions.InvalidToken):
        states.send_task_success(taskToken="nobody's", output="3")


def test_used_tokens_are_those_of_stopped_executions_too(
    laptop: Laptop, waiting: Callable[..., Waiting]
) -> None:
    states = laptop.client("stepfunctions")
    arn, token = waiting("stopped-waiting")
    states.stop_execution(executionArn=arn)
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_success(taskToken=token, output="1")


def test_used_tokens_do_not_need_heartbeats(laptop: Laptop, waiting: Callable[..., Waiting]) -> None:
    states = laptop.client("stepfunctions")
    arn, token = waiting("beating")
    states.send_task_heartbeat(taskToken=token)
    states.stop_execution(executionArn=arn)


def test_used_tokens_are_those_of_timed_out_tasks_too(
    laptop: Laptop, waiting: Callable[..., Waiting], monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = CallbackEndpoint.wait

    def noticed_late(endpoint: CallbackEndpoint, timeout: float | None = None) -> Any:
        outcome = wait(endpoint, timeout)
        time.sleep(1)
        return outcome

    monkeypatch.setattr(CallbackEndpoint, "wait", noticed_late)
    states = laptop.client("stepfunctions")
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "B"}]
    arn, token = waiting("too-late", TimeoutSeconds=1, Catch=catch)

    def is_over() -> bool | None:
        events = states.get_execution_history(executionArn=arn)["events"]
        return any(event["type"] == "TaskTimedOut" for event in events) or None

    wait_for(is_over)
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_success(taskToken=token, output="1")
    states.stop_execution(executionArn=arn)


@pytest.mark.parametrize("ended_by", ["States.Timeout", "Refused"])
def test_retried_tokens_differ_from_attempt_to_attempt(
    laptop: Laptop, waiting: Callable[..., Waiting], ended_by: str
) -> None:
    states, sqs = laptop.client("stepfunctions"), laptop.client("sqs")
    name = f"retried-{ended_by.replace('.', '-')}"
    again = [{"ErrorEquals": [ended_by], "IntervalSeconds": 1, "MaxAttempts": 1}]
    arn, first = waiting(name, Retry=again, TimeoutSeconds=4 if ended_by == "States.Timeout" else 60)
    if ended_by == "Refused":
        states.send_task_failure(taskToken=first, error=ended_by)
    queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    second = wait_for(lambda: (sqs.receive_message(QueueUrl=queue).get("Messages") or [{}])[0].get("Body"))
    assert second != first
    with pytest.raises(states.exceptions.TaskTimedOut):
        states.send_task_success(taskToken=first, output="1")
    states.send_task_success(taskToken=second, output="2")

    def ends() -> str | None:
        events = states.get_execution_history(executionArn=arn)["events"]
        outputs = [
            one["taskSucceededEventDetails"]["output"] for one in events if one["type"] == "TaskSucceeded"
        ]
        return outputs[0] if outputs else None

    assert wait_for(ends) == "2"
    states.stop_execution(executionArn=arn)


def test_whoever_answers_needs_the_word_of_the_machine_that_waits(
    laptop: Laptop, waiting: Callable[..., Waiting]
) -> None:
    arn, token = waiting("answered-by-probe")
    machine = arn.rpartition(":")[0].replace(":execution:", ":stateMachine:")
    answer = {"taskToken": token, "output": "1"}
    with granted(laptop, allow("states:SendTaskSuccess", f"{machine}-of-others")):
        refused = call(laptop, "stepfunctions", "send_task_success", **answer)
    assert refused["Code"] == "AccessDeniedException"
    assert f"states:SendTaskSuccess on resource: {machine} " in refused["Message"]
    with granted(laptop, allow("states:SendTaskSuccess", machine)):
        assert call(laptop, "stepfunctions", "send_task_success", **answer)["Code"] == "OK"
    laptop.client("stepfunctions").stop_execution(executionArn=arn)
