"""moto's DescribeExecution shows a string output bare, spaces out JSON, and has no end for what timed out.

Where: `describe_execution` in moto/stepfunctions/responses.py:287. On AWS `output` is always compact JSON text, so
that a string comes with its quotes; a timed out execution has a `stopDate`.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.responses import StepFunctionResponse

ORIGINAL = StepFunctionResponse.describe_execution


def install() -> None:
    """Replace the API's action."""
    StepFunctionResponse.describe_execution = _describe


def _describe(response: Any) -> Any:
    told = ORIGINAL(response).result
    execution = response.stepfunction_backend.describe_execution(told["executionArn"])
    told["inputDetails"] = {"included": True}
    if told["status"] == ExecutionStatus.SUCCEEDED.value:
        told["output"] = to_json_str(execution.output, separators=(",", ":"))
    if told["status"] != ExecutionStatus.RUNNING.value:
        told["stopDate"] = execution.stop_date
    return ActionResult(told)
