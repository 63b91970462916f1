"""An Express workflow answers the one who waits for it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from tests.local.kept import word

__all__ = ["word"]


def start(laptop: Laptop, name: str, state: dict[str, Any], kind: str = "EXPRESS", given: str = "{}") -> Any:
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}
    arn = laptop.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any", type=kind
    )["stateMachineArn"]
    states = boto3.client(
        "stepfunctions",
        endpoint_url=laptop.endpoint,
        region_name="us-east-1",
        aws_access_key_id="ASIATEST",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False),
    )
    try:
        return states.start_sync_execution(stateMachineArn=arn, input=given)
    finally:
        states.close()


def test_the_answer_holds_the_output(laptop: Laptop, word: str) -> None:
    answer = start(laptop, word, {"Type": "Pass", "Output": {"n": "{% $states.input.n + 1 %}"}, "End": True}, given='{"n": 1}')  # fmt: skip
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", '{"n":2}')
    assert f":express:{word}:" in answer["executionArn"]
    assert answer["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0


def test_a_failure_is_an_answer_too(laptop: Laptop, word: str) -> None:
    answer = start(laptop, word, {"Type": "Fail", "Error": "Broken", "Cause": "by wish"})
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Broken", "by wish")
    assert "output" not in answer


def test_a_standard_workflow_is_refused(laptop: Laptop, word: str) -> None:
    with pytest.raises(ClientError, match="StateMachineTypeNotSupported"):
        start(laptop, word, {"Type": "Succeed"}, kind="STANDARD")


def test_an_input_that_is_not_json_is_refused(laptop: Laptop, word: str) -> None:
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        start(laptop, word, {"Type": "Succeed"}, given="{")
