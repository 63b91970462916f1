"""moto leaves out the step that fits a Task's arguments to the API and the API's answer to the state.

Where: `_normalise_parameters`, `_normalise_response` and `_from_boto_response_value` in
moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service.py are empty or partial, so
`aws-sdk` tasks fail on casing, on blobs, on streams and on dates.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from botocore.response import StreamingBody
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)

from infra.local import account
from infra.local.engine.client_cache import client_for


def install() -> None:
    """Fill the three gaps."""
    StateTaskService._normalise_parameters = _normalise_parameters  # noqa: SLF001 - what is mended
    StateTaskService._normalise_response = _normalise_response  # noqa: SLF001
    StateTaskService._from_boto_response_value = staticmethod(_from_boto_response_value)  # noqa: SLF001


def _operation(task: Any, service: str | None, action: str | None) -> Any:
    client = client_for(account.REGION, task._get_boto_service_name(service))  # noqa: SLF001 - part of the same class
    method = task._get_boto_service_action(action)  # noqa: SLF001
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])


def _normalise_parameters(
    task: Any,
    parameters: dict[str, Any],
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    shape = _operation(task, boto_service_name, service_action_name).input_shape
    if shape is not None:
        task._to_boto_request(parameters, shape)  # noqa: SLF001


def _normalise_response(
    task: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    shape = _operation(task, boto_service_name, service_action_name).output_shape
    if shape is not None:
        task._from_boto_response(response, shape)  # noqa: SLF001


def _from_boto_response_value(value: Any) -> Any:
    if isinstance(value, StreamingBody):
        return value.read().decode("utf-8")
    if isinstance(value, dt.datetime):
        return int(value.timestamp() * 1000)
    return value
