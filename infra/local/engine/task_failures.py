"""moto drops the `cause` of SendTaskFailure, and takes an output from SendTaskSuccess that is no JSON, which then fails the run.

Where: `send_task_failure` and `send_task_success` in moto/stepfunctions/responses.py.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import EmptyResult
from moto.stepfunctions.responses import StepFunctionResponse

ORIGINAL = StepFunctionResponse.send_task_failure
ORIGINAL_SUCCESS = StepFunctionResponse.send_task_success


class InvalidOutput(JsonRESTError):  # type: ignore[misc]
    """The output cannot be read."""

    code = 400

    def __init__(self) -> None:
        """Use AWS's name."""
        super().__init__("InvalidOutput", "Invalid Output: not valid JSON")


def install() -> None:
    """Pass on both, and look at the output."""
    StepFunctionResponse.send_task_failure = _send_task_failure
    StepFunctionResponse.send_task_success = _send_task_success


def _send_task_success(response: Any) -> Any:
    try:
        json.loads(response._get_param("output"))  # noqa: SLF001 - moto's way to a parameter
    except ValueError:
        raise InvalidOutput from None
    return ORIGINAL_SUCCESS(response)


def _send_task_failure(response: Any) -> Any:
    token, error, cause = (response._get_param(name) for name in ("taskToken", "error", "cause"))  # noqa: SLF001
    response.stepfunction_backend.send_task_failure(token, error=error, cause=cause)
    return EmptyResult()
