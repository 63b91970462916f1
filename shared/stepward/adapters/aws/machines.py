"""The `agent-run` machine on Step Functions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translate
from stepward.domain.runs import RunKey


@dataclass(frozen=True)
class StepFunctionsMachine:
    """Starts and stops executions of one state machine."""

    arn: str

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start an execution.

        time →   start ─ ✗ answer lost ─ start again ─ ExecutionAlreadyExists: it runs, which is what was asked for
        """
        payload = json.dumps({"v": 1, "tenant": key.tenant, "run": key.run})
        try:
            client("stepfunctions").start_execution(
                stateMachineArn=self.arn, name=execution_name, input=payload
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise translate(error, f"starting {execution_name}") from error

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """End an execution; one that never began or is over is no error."""
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{execution_name}"
        try:
            client("stepfunctions").stop_execution(executionArn=arn, error=error, cause=cause[:1_000])
        except ClientError as fault:
            if error_code(fault) != "ExecutionDoesNotExist":
                raise translate(fault, f"stopping {execution_name}") from fault
