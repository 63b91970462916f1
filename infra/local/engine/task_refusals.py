"""moto names a refused invocation by its error code, where Step Functions has one name for what Lambda's client throws.

Where: `StateTaskServiceLambda._error_cause_from_client_error` in
moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service_lambda.py. On AWS a machine whose
role may not invoke a function fails with `Lambda.AWSLambdaException`, which retriers list; moto says
`Lambda.AccessDeniedException`. Step Functions invokes `$LATEST` where nothing else is said, so a function that is not there is
named with it.
"""

from __future__ import annotations

import re
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)

_UNQUALIFIED = re.compile(r"^(Function not found: arn:aws[a-z-]*:lambda:[^:]*:\d+:function:[^:\s]+)(?=\s|$)")
ORIGINAL = StateTaskServiceLambda._error_cause_from_client_error  # noqa: SLF001 - what is mended


def install() -> None:
    """Name refusals as AWS does."""
    StateTaskServiceLambda._error_cause_from_client_error = staticmethod(_error_and_cause)  # noqa: SLF001


def _error_and_cause(client_error: Any) -> tuple[str, str]:
    error, cause = ORIGINAL(client_error)
    cause = _UNQUALIFIED.sub(r"\1:$LATEST", cause)
    return ("Lambda.AWSLambdaException" if error == "Lambda.AccessDeniedException" else error), cause
