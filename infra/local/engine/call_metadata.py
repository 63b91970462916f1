"""moto's optimised integrations leave out what AWS adds to every result: SdkHttpMetadata and SdkResponseMetadata.

Where: `execute_lambda_function_integration` in
moto/stepfunctions/parser/asl/component/state/exec/state_task/lambda_eval_utils.py:85 keeps the fields of a typed dict, the
`state_task_service_{dynamodb,events,sfn,sns,sqs}.py` beside it pop `ResponseMetadata`. Here the answer's own headers are
kept, in AWS's spelling.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.utilities.collections import select_from_typed_dict

from infra.local.engine import client_cache

ORIGINAL = lambda_eval_utils.select_from_typed_dict
_SERVICES = {
    "dynamodb": "StateTaskServiceDynamoDB",
    "events": "StateTaskServiceEvents",
    "sfn": "StateTaskServiceSfn",
    "sns": "StateTaskServiceSns",
    "sqs": "StateTaskServiceSqs",
}
_PLACE = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_"
_OF_DYNAMODB = {"Connection": "keep-alive", "Server": "Server"}
_SPELLED = {
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


def install() -> None:
    """Keep the metadata of invocations and of what else answers."""
    lambda_eval_utils.select_from_typed_dict = _select
    for name, kind in _SERVICES.items():
        service = getattr(importlib.import_module(_PLACE + name), kind)
        more = _OF_DYNAMODB if name == "dynamodb" else {}
        service._eval_service_task = _telling(service._eval_service_task, more)  # noqa: SLF001 - what is mended


def told(metadata: dict[str, Any], more: dict[str, str] | None = None) -> dict[str, Any]:
    """Write boto's metadata the way Step Functions shows that of its Java clients."""
    request_id = metadata.get("RequestId", "")
    headers = {_SPELLED[name]: value for name, value in metadata["HTTPHeaders"].items() if name in _SPELLED}
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
    return {**kept, **told(metadata)} if metadata else kept


def _telling(original: Callable[..., None], more: dict[str, str]) -> Callable[..., None]:
    def eval_service_task(task: Any, env: Any, *args: Any, **named: Any) -> None:
        original(task, env, *args, **named)
        if isinstance(env.stack[-1], dict):
            env.stack[-1].update(told(client_cache.last_metadata(), more))

    return eval_service_task
