"""moto's DescribeExecution shows a string output bare, spaces out JSON, and has no end for what timed out.

Where: `describe_execution` in moto/stepfunctions/responses.py:287. On AWS `output` is always compact JSON text, so
that a string comes with its quotes; a timed out execution has a `stopDate`; whether it can be redriven is said.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.responses import StepFunctionResponse

_REDRIVABLE = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})
ORIGINAL = StepFunctionResponse.describe_execution


def install() -> None:
    """Replace the API's action."""
    StepFunctionResponse.describe_execution = _describe


def _redrive(status: str) -> dict[str, Any]:
    """Say that nothing was redriven, and what could be, as AWS does of an execution that is not too old."""
    if status in _REDRIVABLE:
        return {"redriveCount": 0, "redriveStatus": "REDRIVABLE"}
    reason = f"Execution is {status} and cannot be redriven"
    return {"redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def _describe(response: Any) -> Any:
    told = ORIGINAL(response).result
    execution = response.stepfunction_backend.describe_execution(told["executionArn"])
    told["inputDetails"] = {"included": True}
    if told["status"] == ExecutionStatus.SUCCEEDED.value:
        told["output"] = to_json_str(execution.output, separators=(",", ":"))
    told |= _redrive(told["status"])
    if told["status"] != ExecutionStatus.RUNNING.value:
        told["stopDate"] = execution.stop_date
    return ActionResult(told)
