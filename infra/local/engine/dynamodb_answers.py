"""moto writes DynamoDB's answers attribute by attribute through the API's model: 9 ms for a query of ten items.

Where: `ActionResult.execute_result` (moto/core/responses.py), inherited by `DynamoResult` in moto/dynamodb/responses.py.
The results of the data operations already have the shape that goes over the wire and are written as they are.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from moto.dynamodb.responses import DynamoResult

ORIGINAL = DynamoResult.execute_result

_DATA_OPERATIONS = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "UpdateItem",
    }
)


def install() -> None:
    """Write data straight; everything else (tables with their dates) goes through the model as before."""
    DynamoResult.execute_result = _execute_result


def _execute_result(result: Any, context: Any) -> Any:
    content = result.result
    if context.operation_model.name not in _DATA_OPERATIONS or not isinstance(content, dict):
        return ORIGINAL(result, context)
    told = {name: value for name, value in content.items() if value is not None}
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(told, default=_binary)


def _binary(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} in an answer of DynamoDB")
