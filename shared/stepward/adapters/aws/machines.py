"""The `agent-run` machine on Step Functions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
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
        request = {"stateMachineArn": self.arn, "name": execution_name, "input": payload}
        self._call("start_execution", request, f"starting {execution_name}", "ExecutionAlreadyExists")

    def is_running(self, execution_name: str) -> bool:
        """Ask Step Functions; one that never began does not run."""
        request = {"executionArn": self._execution(execution_name)}
        found = self._call(
            "describe_execution", request, f"looking at {execution_name}", "ExecutionDoesNotExist"
        )
        return found is not None and found["status"] == "RUNNING"

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """End an execution; one that never began or is over is no error."""
        request = {"executionArn": self._execution(execution_name), "error": error, "cause": cause[:1_000]}
        self._call("stop_execution", request, f"stopping {execution_name}", "ExecutionDoesNotExist")

    def answer(self, token: str) -> bool:
        """End a wait; a token that was used, has timed out or belongs to a stopped execution is no error."""
        request = {"taskToken": token, "output": "{}"}
        over = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
        return self._call("send_task_success", request, "answering a wait", *over) is not None

    def _call(
        self, method: str, request: dict[str, str], doing: str, *accepted: str
    ) -> dict[str, Any] | None:
        """Make a call; None for the errors that are an answer."""
        with translated(doing):
            try:
                found: dict[str, Any] = getattr(client("stepfunctions"), method)(**request)
            except ClientError as error:
                if error_code(error) not in accepted:
                    raise
                return None
        return found

    def _execution(self, name: str) -> str:
        return f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
