"""moto's optimised integrations leave out what AWS adds to every result: SdkHttpMetadata and SdkResponseMetadata.

Where: `execute_lambda_function_integration` in
moto/stepfunctions/parser/asl/component/state/exec/state_task/lambda_eval_utils.py:85 keeps the fields of a typed dict, the
services beside it pop `ResponseMetadata`. Here the answer's own headers are kept, in AWS's spelling.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.utilities.collections import select_from_typed_dict

ORIGINAL = lambda_eval_utils.select_from_typed_dict
_SPELLED = {
    "connection": "Connection",
    "content-length": "Content-Length",
    "content-type": "Content-Type",
    "date": "Date",
    "x-amz-executed-version": "X-Amz-Executed-Version",
    "x-amzn-remapped-content-length": "x-amzn-Remapped-Content-Length",
    "x-amzn-requestid": "x-amzn-RequestId",
    "x-amzn-trace-id": "X-Amzn-Trace-Id",
}


def install() -> None:
    """Keep the metadata of an invocation."""
    lambda_eval_utils.select_from_typed_dict = _select


def told(metadata: dict[str, Any]) -> dict[str, Any]:
    """Write boto's metadata the way Step Functions shows that of its Java clients."""
    request_id = metadata.get("RequestId", "")
    headers = {_SPELLED[name]: value for name, value in metadata["HTTPHeaders"].items() if name in _SPELLED}
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
