"""moto can run an Express workflow while the caller waits, but knows no StartSyncExecution.

Where: `SyncExecution` in moto/stepfunctions/parser/backend/execution.py is used by nothing; `StepFunctionResponse` in
moto/stepfunctions/responses.py lacks the action. Clients that put `sync-` before the host name need
`AWS_DISABLE_HOST_PREFIX_INJECTION=true`, which rooms have on the laptop.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.backend.execution import SyncExecution
from moto.stepfunctions.responses import StepFunctionResponse

ORIGINAL = getattr(StepFunctionResponse, "start_sync_execution", None)


class OnlyExpress(JsonRESTError):  # type: ignore[misc]
    """A Standard workflow may take a year; nobody can wait for it in one call."""

    code = 400

    def __init__(self) -> None:
        """Use AWS's name and words."""
        super().__init__(
            "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
        )


class NotJson(JsonRESTError):  # type: ignore[misc]
    """The input cannot be read."""

    code = 400

    def __init__(self) -> None:
        """Use AWS's name and words."""
        super().__init__("InvalidExecutionInput", "Invalid State Machine Execution Input: not valid JSON")


def install() -> None:
    """Add the action."""
    StepFunctionResponse.start_sync_execution = _start


def _start(response: Any) -> Any:
    backend = response.stepfunction_backend
    machine = backend.describe_state_machine(response._get_param("stateMachineArn"))  # noqa: SLF001
    if machine.type != StateMachineType.EXPRESS:
        raise OnlyExpress
    name = response._get_param("name") or str(uuid.uuid4())  # noqa: SLF001
    given = response._get_param("input") or "{}"  # noqa: SLF001
    try:
        json.loads(given)
    except ValueError:
        raise NotJson from None
    execution = _execution(backend, machine, name, given)
    execution.start()
    return ActionResult(_described(execution, given))


def _execution(backend: Any, machine: Any, name: str, given: str) -> Any:
    arn = f"{machine.arn.replace(':stateMachine:', ':express:')}:{name}:{uuid.uuid4()}"
    return SyncExecution(
        name=name,
        sm_type=machine.sm_type,
        role_arn=machine.roleArn,
        exec_arn=arn,
        account_id=backend.account_id,
        region_name=backend.region_name,
        state_machine=machine,
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=given,
    )


def _described(execution: Any, given: str) -> dict[str, Any]:
    took_ms = int((execution.stop_date - execution.start_date).total_seconds() * 1000)
    answer = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "startDate": execution.start_date,
        "stopDate": execution.stop_date,
        "status": execution.sync_execution_status.value,
        "input": given,
        "inputDetails": {"included": True},
        "error": execution.error,
        "cause": execution.cause,
        # Express workflows are billed by 100 ms and by 64 MB; what they hold in memory here is not known.
        "billingDetails": {
            "billedMemoryUsedInMB": 64,
            "billedDurationInMilliseconds": -(-took_ms // 100) * 100,
        },
    }
    if answer["status"] == "SUCCEEDED":
        answer["output"] = json.dumps(
            execution.output, separators=(",", ":"), ensure_ascii=False, default=str
        )
        answer["outputDetails"] = {"included": True}
    return {name: value for name, value in answer.items() if value is not None}
