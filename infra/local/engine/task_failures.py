"""moto drops the `cause` of SendTaskFailure, so a catcher sees an error without its reason.

Where: `send_task_failure` in moto/stepfunctions/responses.py passes on `error` only.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.stepfunctions.responses import StepFunctionResponse

ORIGINAL = StepFunctionResponse.send_task_failure


def install() -> None:
    """Pass on both."""
    StepFunctionResponse.send_task_failure = _send_task_failure


def _send_task_failure(response: Any) -> Any:
    token, error, cause = (response._get_param(name) for name in ("taskToken", "error", "cause"))  # noqa: SLF001
    response.stepfunction_backend.send_task_failure(token, error=error, cause=cause)
    return EmptyResult()
