"""Patches of what DynamoDB refuses, and of what it returns from writes.

moto looks a table up before it checks its name, and returns more of an update than was asked for.

Where: `DynamoDBBackend.get_table` in moto/dynamodb/models/__init__.py; `DynamoHandler.update_item` in
moto/dynamodb/responses.py (:1316 adds ConsumedCapacity; `UPDATED_NEW` has what was changed, not what was named).
`_error_cause_from_client_error` in moto/stepfunctions/…/state_task_service_dynamodb.py names every error by its code; on AWS
only those that the API declares have a name of their own.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_dynamodb import (
    StateTaskServiceDynamoDB,
)

from infra.local import account
from infra.local.engine.clients import client_for

ORIGINAL = DynamoDBBackend.get_table
ORIGINAL_UPDATE = DynamoHandler.update_item
ORIGINAL_CAUSE = StateTaskServiceDynamoDB._error_cause_from_client_error  # noqa: SLF001 - what is patched
_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_ARN = re.compile(r"arn:aws[a-z-]*:dynamodb:[^:]*:\d{12}:table/.+")
_UNASKED = {
    "ConsumedCapacity": "ReturnConsumedCapacity",
    "ItemCollectionMetrics": "ReturnItemCollectionMetrics",
}
_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b", re.IGNORECASE)
_ASSIGNED = re.compile(r"[#\w][\w#.\[\]]*(?=\s*=)")
_TARGET = re.compile(r"([#\w]+)(?=\s|$)")
_NOT_EMPTY = "have length greater than or equal to 1"
_UNNAMED = "DynamoDB.AmazonDynamoDBException"


def install_dynamodb_refusals() -> None:
    """Check table names first, and return only what a request asks for."""
    DynamoDBBackend.get_table = _get_table
    DynamoHandler.update_item = _update_item
    for action in ("update_item", "batch_get_item", "batch_write_item", "transact_write_items"):
        setattr(DynamoHandler, action, _without_unasked(getattr(DynamoHandler, action)))
    StateTaskServiceDynamoDB._error_cause_from_client_error = staticmethod(_error_and_cause)  # noqa: SLF001
    original = StateTaskServiceDynamoDB._eval_service_task  # noqa: SLF001 - as above
    StateTaskServiceDynamoDB._eval_service_task = _refusing_null(original)  # noqa: SLF001 - as above


def _get_table(backend: Any, table_name: str) -> Any:
    if not _NAME.fullmatch(table_name) and not _ARN.fullmatch(table_name):
        rule = f"satisfy regular expression pattern: {_NAME.pattern}" if table_name else _NOT_EMPTY
        raise MockValidationException(
            f"1 validation error detected: Value '{table_name}' at 'tableName' failed to satisfy constraint: Member must {rule}"
        )
    return ORIGINAL(backend, table_name)


def _without_unasked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Leave out of an answer what the request did not ask for."""

    def action(handler: Any) -> Any:
        answer = original(handler)
        if isinstance(getattr(answer, "result", None), dict):
            for name, asked in _UNASKED.items():
                if handler.body.get(asked, "NONE") == "NONE":
                    answer.result.pop(name, None)
        return answer

    return action


def _update_item(handler: Any) -> Any:
    """Return every attribute that an update names, whether it was changed or not."""
    body = handler.body
    wanted, key = body.get("ReturnValues", "NONE"), body.get("Key")
    targets = _targets(body.get("UpdateExpression") or "", body.get("ExpressionAttributeNames") or {})
    if not wanted.startswith("UPDATED") or targets is None:
        return ORIGINAL_UPDATE(handler)
    backend, table = handler.dynamodb_backend, body["TableName"]
    before = _attributes(backend.get_item(table, key)) if wanted == "UPDATED_OLD" else {}
    answer = ORIGINAL_UPDATE(handler)
    known = before if wanted == "UPDATED_OLD" else _attributes(backend.get_item(table, key))
    named = {name: known[name] for name in targets if name in known}
    answer.result.pop("Attributes", None)
    if named:
        answer.result["Attributes"] = named
    return answer


def _attributes(item: Any) -> dict[str, Any]:
    return dict(item.to_json()["Attributes"]) if item else {}


def _targets(expression: str, names: dict[str, str]) -> list[str] | None:
    """List the attributes that an update expression writes; None if one is a nested path."""
    parts = _CLAUSE.split(expression)
    paths = [
        _TARGET.match(one.strip())
        for word, clause in zip(parts[1::2], parts[2::2], strict=True)
        for one in (_ASSIGNED.findall(clause) if word.upper() == "SET" else clause.split(","))
    ]
    if not paths or not all(paths):
        return None
    found = [path[1] for path in paths if path]
    return [names.get(name, name) for name in found]


def _refusing_null(original: Callable[..., None]) -> Callable[..., None]:
    """Refuse null for a required parameter with the service's message instead of boto's."""

    def eval_service_task(task: Any, *, normalised_parameters: dict[str, Any], **named: Any) -> None:
        client = client_for(account.REGION, "dynamodb")
        action = client.meta.method_to_api_mapping[task._get_boto_service_action()]  # noqa: SLF001 - as above
        required = client.meta.service_model.operation_model(action).input_shape.required_members
        if missing := [name for name in required if normalised_parameters.get(name) is None]:
            raise _null_refused(missing, action)
        original(task, normalised_parameters=normalised_parameters, **named)

    return eval_service_task


def _null_refused(missing: list[str], action: str) -> ClientError:
    errors = "; ".join(
        f"Value null at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must not be null"
        for name in missing
    )
    words = f"{len(missing)} validation error{'s' * (len(missing) > 1)} detected: {errors}"
    metadata = {"HTTPStatusCode": 400, "RequestId": str(uuid.uuid4())}
    refused = {"Error": {"Code": "ValidationException", "Message": words}, "ResponseMetadata": metadata}
    return ClientError(refused, action)


def _error_and_cause(client_error: Any) -> tuple[str, str]:
    error, cause = ORIGINAL_CAUSE(client_error)
    code = client_error.response["Error"]["Code"]
    named = {shape.name for shape in client_for(account.REGION, "dynamodb").meta.service_model.error_shapes}
    if code not in named:
        return _UNNAMED, cause
    return (error if error.endswith("Exception") else f"{error}Exception"), cause
