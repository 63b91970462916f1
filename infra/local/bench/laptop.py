"""`bench laptop`: what the laptop's Step Functions take of a Lambda task, beside plain moto's in the same run."""

from __future__ import annotations

import io
import json
import statistics
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import boto3
from botocore.config import Config

from infra.local import account
from infra.local.bench.twins import KINDS, twin
from infra.local.faults import LaptopError

TASKS = 3
EXECUTIONS = 50
_CLIENTS = 8
_ROUNDS = 6
_LIMIT_S = 120.0
_POLL_S = 0.01
_CODE = "def handle(event, context):\n    return {'count': event['count'] + 1}\n"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ],
}


def laptop(*, executions: int) -> int:
    """Run the same machine on both in turns, and print the figures.

    In turns, so that a noisy moment falls on both.
    """
    with ExitStack() as running:
        subjects = {kind: Subject(running.enter_context(twin(kind))) for kind in KINDS}
        for subject in subjects.values():
            subject.one_by_one(2)
        spans_ms: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(_ROUNDS):
            for kind, subject in subjects.items():
                spans_ms[kind] += subject.one_by_one(max(1, executions // _ROUNDS))
        rates = {kind: subject.at_once(EXECUTIONS) for kind, subject in subjects.items()}
    print(json.dumps(report(spans_ms, rates), indent=2))
    return 0


def report(spans_ms: dict[str, list[float]], rates: dict[str, float]) -> dict[str, Any]:
    """Put the figures of both side by side."""
    figures = {
        kind: {
            "ms_per_task_median": round(statistics.median(spans_ms[kind]) / TASKS, 2),
            "executions_per_s": round(rates[kind], 1),
        }
        for kind in KINDS
    }
    ours, plain = figures["laptop"], figures["plain_moto"]
    return {
        **figures,
        "ratio": {
            "ms_per_task_median": round(plain["ms_per_task_median"] / ours["ms_per_task_median"], 1),
            "executions_per_s": round(ours["executions_per_s"] / plain["executions_per_s"], 1),
        },
    }


class Subject:
    """A local AWS with a function and a machine that calls it three times."""

    def __init__(self, endpoint: str) -> None:
        """Make both by the AWS's own API, as any client would."""
        self._endpoint = endpoint
        self._states = self._client("stepfunctions")
        role = self._client("iam").create_role(
            RoleName="bench-laptop", AssumeRolePolicyDocument=json.dumps(_TRUST)
        )["Role"]["Arn"]
        function = self._client("lambda").create_function(
            FunctionName="bench-laptop",
            Handler="count.handle",
            Runtime="python3.13",
            Role=role,
            Code={"ZipFile": _zipped()},
        )["FunctionArn"]
        self._machine = self._states.create_state_machine(
            name="bench-laptop", definition=json.dumps(_definition(function)), roleArn=role
        )["stateMachineArn"]

    def one_by_one(self, number: int) -> list[float]:
        """Run executions one after the other; give how long each took, in ms."""
        return [self._span_ms(self._start()) for _ in range(number)]

    def at_once(self, number: int) -> float:
        """Start executions by several clients without waiting; give how many ended a second."""
        started_s = time.monotonic()
        with ThreadPoolExecutor(_CLIENTS) as clients:
            arns = list(clients.map(lambda _: self._start(), range(number)))
        for arn in arns:
            self._ended(arn)
        return number / (time.monotonic() - started_s)

    def _start(self) -> str:
        # Plain moto needs to be told a name.
        name = uuid.uuid4().hex
        started = self._states.start_execution(stateMachineArn=self._machine, name=name, input='{"count": 0}')
        return str(started["executionArn"])

    def _span_ms(self, arn: str) -> float:
        found = self._ended(arn)
        return float((found["stopDate"] - found["startDate"]).total_seconds() * 1000)

    def _ended(self, arn: str) -> dict[str, Any]:
        end_s = time.monotonic() + _LIMIT_S
        while time.monotonic() < end_s:
            found: dict[str, Any] = self._states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return _succeeded(found)
            time.sleep(_POLL_S)
        raise LaptopError(f"{arn} did not end within {_LIMIT_S:.0f} s")

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._endpoint,
            region_name=account.REGION,
            aws_access_key_id="bench",
            aws_secret_access_key="bench",  # noqa: S106 - nobody checks it
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=2 * _CLIENTS),
        )


def _succeeded(found: dict[str, Any]) -> dict[str, Any]:
    if found["status"] != "SUCCEEDED" or json.loads(found["output"]) != {"count": TASKS}:
        raise LaptopError(f"{found['executionArn']}: {found['status']} {found.get('cause')}")
    return found


def _definition(function: str) -> dict[str, Any]:
    states: dict[str, Any] = {}
    for number in range(TASKS):
        states[f"Count{number}"] = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function, "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "TimeoutSeconds": 60,
            **({"Next": f"Count{number + 1}"} if number + 1 < TASKS else {"End": True}),
        }
    return {"StartAt": "Count0", "States": states}


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("count.py", _CODE)
    return buffer.getvalue()
