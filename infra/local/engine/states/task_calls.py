"""Patches of tasks' calls to services: arguments, results and metadata."""

from __future__ import annotations

import datetime as dt
import importlib
import json
from collections.abc import Callable
from typing import Any

from botocore.model import OperationModel
from botocore.response import StreamingBody
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils.encoding import _DateTimeEncoder
from moto.utilities.collections import select_from_typed_dict

from infra.local import account
from infra.local.engine import clients
from infra.local.engine.clients import client_for

_TEXT_SERVICES = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service"
_MODULES = tuple(
    importlib.import_module(f"{_TEXT_SERVICES}{name}") for name in ("", "_events", "_sfn", "_sns", "_sqs")
)


def install_task_texts() -> None:
    """Send JSON that a service takes as text compact and in UTF-8.

    moto writes such JSON with spaces and with escapes for all but ASCII.

    Where: `to_json_str` of the services in moto/stepfunctions/parser/asl/component/state/exec/state_task/service. AWS sends compact
    JSON in UTF-8, so a message's body, its digest and the cause of a failed child execution differ.
    """
    for module in _MODULES:
        vars(module)["to_json_str"] = compact


def compact(value: Any, separators: tuple[str, str] = (",", ":")) -> str:
    """Return a value as compact JSON in UTF-8."""
    return json.dumps(value, cls=_DateTimeEncoder, separators=separators, ensure_ascii=False)


def install_task_parameters() -> None:
    """Convert arguments to the API's types, and its responses to JSON.

    moto leaves out the conversion of a Task's arguments for the API and of the API's response for the state.

    Where: `_normalise_parameters`, `_normalise_response` and `_from_boto_response_value` in
    moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service.py are empty or partial, so
    `aws-sdk` tasks fail on casing, on blobs, on streams and on dates.
    """
    StateTaskService._normalise_parameters = _normalise_parameters  # noqa: SLF001 - what is patched
    StateTaskService._normalise_response = _normalise_response  # noqa: SLF001
    StateTaskService._from_boto_response_value = staticmethod(_from_boto_response_value)  # noqa: SLF001


def _operation(task: StateTaskService, service: str | None, action: str | None) -> OperationModel:
    client = client_for(account.REGION, task._get_boto_service_name(service))  # noqa: SLF001 - part of the same class
    method = task._get_boto_service_action(action)  # noqa: SLF001
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])


def _normalise_parameters(
    task: StateTaskService,
    parameters: dict[str, Any],
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    shape = _operation(task, boto_service_name, service_action_name).input_shape
    if shape is not None:
        task._to_boto_request(parameters, shape)  # noqa: SLF001


def _normalise_response(
    task: StateTaskService,
    response: Any,
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
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


ORIGINAL = lambda_eval_utils.select_from_typed_dict
_METADATA_SERVICES = {
    "dynamodb": "StateTaskServiceDynamoDB",
    "events": "StateTaskServiceEvents",
    "sfn": "StateTaskServiceSfn",
    "sns": "StateTaskServiceSns",
    "sqs": "StateTaskServiceSqs",
}
_SERVICE_MODULES = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_"
_OF_DYNAMODB = {"Connection": "keep-alive", "Server": "Server"}
_JAVA_HEADERS = {
    "connection": "Connection",
    "content-length": "Content-Length",
    "content-type": "Content-Type",
    "date": "Date",
    "x-amz-crc32": "x-amz-crc32",
    "x-amz-executed-version": "X-Amz-Executed-Version",
    "x-amzn-remapped-content-length": "x-amzn-Remapped-Content-Length",
    "x-amzn-requestid": "x-amzn-RequestId",
    "x-amzn-trace-id": "X-Amzn-Trace-Id",
}


def install_call_metadata() -> None:
    """Add the metadata of the response to a task's result.

    moto's optimised integrations leave out what AWS adds to every result: SdkHttpMetadata and SdkResponseMetadata.

    Where: `execute_lambda_function_integration` in
    moto/stepfunctions/parser/asl/component/state/exec/state_task/lambda_eval_utils.py:85 keeps the fields of a typed dict, the
    `state_task_service_{dynamodb,events,sfn,sns,sqs}.py` beside it pop `ResponseMetadata`. Here the response's own headers are
    kept, written as AWS writes them.
    """
    lambda_eval_utils.select_from_typed_dict = _select
    for name, kind in _METADATA_SERVICES.items():
        service = getattr(importlib.import_module(_SERVICE_MODULES + name), kind)
        more = _OF_DYNAMODB if name == "dynamodb" else {}
        service._eval_service_task = _with_metadata(service._eval_service_task, more)  # noqa: SLF001 - what is patched


def sdk_metadata(metadata: dict[str, Any], more: dict[str, str] | None = None) -> dict[str, Any]:
    """Return boto's metadata as Step Functions shows that of its Java clients."""
    request_id = metadata.get("RequestId", "")
    headers = {
        _JAVA_HEADERS[name]: value for name, value in metadata["HTTPHeaders"].items() if name in _JAVA_HEADERS
    }
    headers |= more or {}
    headers["x-amzn-RequestId"] = request_id
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": metadata["HTTPStatusCode"],
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }


def _select(typed_dict: Any, obj: Any) -> Any:
    kept = select_from_typed_dict(typed_dict=typed_dict, obj=obj)
    metadata = obj.get("ResponseMetadata")
    kept.pop("LogResult", None)
    return {**kept, **sdk_metadata(metadata)} if metadata else kept


def _with_metadata(original: Callable[..., None], more: dict[str, str]) -> Callable[..., None]:
    def eval_service_task(task: StateTaskService, env: Environment, *args: Any, **named: Any) -> None:
        original(task, env, *args, **named)
        if isinstance(env.stack[-1], dict):
            env.stack[-1].update(sdk_metadata(clients.last_metadata(), more))

    return eval_service_task
