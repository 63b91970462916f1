"""Patches of what invokes functions: tasks of state machines, and event source mappings."""

from __future__ import annotations

import io
import threading
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Protocol

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamShard, Table
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials

from infra.local import account
from infra.local.engine import clients
from infra.local.engine.lambda_ import functions
from infra.local.executor import InvocationResult, Throttled
from infra.local.executor.faults import MAX_REQUEST_BYTES

IsGranted = Callable[[str, str], bool]
"""Access key id, ARN of a function → whether the key's holder may invoke it."""

_PLAIN = frozenset({"FunctionName", "LogType", "Payload"})
_grants: list[IsGranted] = []
_wrapped: dict[int, _Lambda] = {}
_lock = threading.Lock()


def bind_invocations(is_granted: IsGranted | None) -> None:
    """Check later direct invocations with this; without it none is direct."""
    _grants[:] = [] if is_granted is None else [is_granted]


def install_direct_invocations() -> None:
    """Call the function of a Task through the executor instead of HTTP.

    moto calls a Task's function by an HTTP client of its own server, which takes most of the time of a task.

    Where: `exec_lambda_function` and `_invoke_lambda_function` in
    moto/stepfunctions/parser/asl/component/state/exec/state_task/lambda_eval_utils.py:66,88. A call that is well formed, granted
    and for a function that exists goes straight to the executor. Any other goes to the server, which refuses it.
    """
    engine: Any = lambda_eval_utils
    engine.boto_client_for = _client_for


def _client_for(region: str, service: str, state_credentials: StateCredentials | None = None) -> _Lambda:
    client, access_key = clients.held(region, service, state_credentials)
    with _lock:
        return _wrapped.setdefault(id(client), _Lambda(client, access_key))


class _Lambda:
    """A client of Lambda whose `invoke` calls the executor directly where it can."""

    def __init__(self, client: BaseClient, access_key: str) -> None:
        self._client = client
        self._access_key = access_key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Invoke a function and return its response."""
        name = self._direct(parameters)
        executor = functions.bound()
        if name is None or executor is None:
            answer: dict[str, Any] = self._client.invoke(**parameters)
            return answer
        try:
            return _answer(executor.invoke(name, parameters.get("Payload") or b"{}"))
        except Throttled:
            raise _too_many() from None

    def _direct(self, parameters: dict[str, Any]) -> str | None:
        """Return the name of the function if it can be invoked directly, else None."""
        executor, wanted = functions.bound(), str(parameters.get("FunctionName", ""))
        name = wanted.rsplit(":", 1)[-1]
        arn = account.function_arn(name)
        if executor is None or not _grants or not set(parameters) <= _PLAIN or wanted not in (name, arn):
            return None
        is_known = executor.has(name) and len(parameters.get("Payload") or b"") <= MAX_REQUEST_BYTES
        return name if is_known and _grants[0](self._access_key, arn) else None


def _answer(result: InvocationResult) -> dict[str, Any]:
    error = {"FunctionError": result.function_error} if result.function_error else {}
    return {
        "ResponseMetadata": _metadata(200, len(result.payload), result.request_id),
        "StatusCode": 200,
        **error,
        "ExecutedVersion": "$LATEST",
        "Payload": io.BytesIO(result.payload),
    }


def _too_many() -> ClientError:
    error = {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    metadata = _metadata(429, 0, str(uuid.uuid4()))
    return ClientError({"Error": error, "ResponseMetadata": metadata}, "Invoke")


def _metadata(status: int, length_bytes: int, request_id: str) -> dict[str, Any]:
    trace = uuid.uuid4().hex
    headers = {
        "connection": "keep-alive",
        "content-length": str(length_bytes),
        "content-type": "application/json",
        "date": formatdate(time.time(), usegmt=True),
        "x-amz-executed-version": "$LATEST",
        "x-amzn-remapped-content-length": "0",
        "x-amzn-requestid": request_id,
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{trace[:24]};Parent={trace[16:]};Sampled=0",
    }
    return {"RequestId": request_id, "HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": 0}


ORIGINAL = LambdaBackend.create_event_source_mapping
ORIGINAL_UPDATE = LambdaBackend.update_event_source_mapping
ORIGINAL_DELETE = LambdaBackend.delete_event_source_mapping
ORIGINAL_RECORD = StreamShard.add


class Poller(Protocol):
    """The part of the triggers that polls the sources of mappings."""

    def mapping_added(self, mapping: EventSourceMapping) -> None:
        """Start to poll for a new mapping."""

    def mapping_changed(self, mapping: EventSourceMapping) -> None:
        """Follow the change or the deletion of a mapping."""

    def table_written(self, table: Table) -> None:
        """Note that a table's stream has grown.

        It is called under DynamoDB's lock, so it must not call DynamoDB itself.
        """


_pollers: list[Poller] = []


def bind_mappings(poller: Poller | None) -> None:
    """Notify a poller of later mappings and writes; None removes it."""
    _pollers[:] = [] if poller is None else [poller]


def install_source_mappings() -> None:
    """Notify the poller of mappings and writes instead of invoking functions.

    moto serves event source mappings inside the call that wrote: one message a call, made-up attributes, no retries.

    Where: `create_event_source_mapping` in moto/awslambda/models.py hangs a mapping on its queue or table, whose
    `add_message` (moto/sqs/models.py) and `StreamShard.add` (moto/dynamodb/models/table.py) then call the function. Here a
    mapping is kept by Lambda alone, and the poller is notified of it. A write that changes nothing makes no record either.
    """
    LambdaBackend.create_event_source_mapping = _create
    LambdaBackend.update_event_source_mapping = _update
    LambdaBackend.delete_event_source_mapping = _delete
    StreamShard.add = _record


def _create(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    mapping = ORIGINAL(backend, spec)
    account, region = backend.account_id, backend.region_name
    for source in (
        *sqs_backends[account][region].queues.values(),
        *dynamodb_backends[account][region].tables.values(),
    ):
        source.lambda_event_source_mappings.clear()
    for poller in _pollers:
        poller.mapping_added(mapping)
    return mapping


def _update(backend: LambdaBackend, uuid: str, spec: dict[str, Any]) -> EventSourceMapping:
    mapping = ORIGINAL_UPDATE(backend, uuid, spec)
    for poller in _pollers:
        poller.mapping_changed(mapping)
    return mapping


def _delete(backend: LambdaBackend, uuid: str) -> EventSourceMapping | None:
    mapping = ORIGINAL_DELETE(backend, uuid)
    for poller in _pollers:
        poller.mapping_changed(mapping)
    return mapping


def _record(shard: StreamShard, old: Item | None, new: Item | None) -> None:
    if old is not None and new is not None and old.to_json() == new.to_json():
        return
    ORIGINAL_RECORD(shard, old, new)
    for poller in _pollers:
        poller.table_written(shard.table)
