"""moto calls a Task's function by an HTTP client of its own server, which takes most of the time of a task.

Where: `exec_lambda_function` and `_invoke_lambda_function` in
moto/stepfunctions/parser/asl/component/state/exec/state_task/lambda_eval_utils.py:66,88. A call that is well formed, granted
and for a function that is there goes straight to the executor; any other goes the long way and is refused on it.
"""

from __future__ import annotations

import io
import threading
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from infra.local import account
from infra.local.engine import client_cache, lambda_invocations
from infra.local.executor import InvocationResult, Throttled
from infra.local.executor.faults import MAX_REQUEST_BYTES

IsGranted = Callable[[str, str], bool]
"""Access key id, ARN of a function → may it be invoked?"""

_PLAIN = frozenset({"FunctionName", "LogType", "Payload"})
_grants: list[IsGranted] = []
_wrapped: dict[int, _Lambda] = {}
_lock = threading.Lock()


def bind(is_granted: IsGranted | None) -> None:
    """Ask this for permission from now on; nothing goes straight without it."""
    _grants[:] = [] if is_granted is None else [is_granted]


def install() -> None:
    """Give tasks a client that knows the short way."""
    engine: Any = lambda_eval_utils
    engine.boto_client_for = _client_for


def _client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    client, access_key = client_cache.held(region, service, state_credentials)
    with _lock:
        return _wrapped.setdefault(id(client), _Lambda(client, access_key))


class _Lambda:
    """A client of Lambda whose `invoke` is short; everything else is the client's own."""

    def __init__(self, client: Any, access_key: str) -> None:
        self._client = client
        self._access_key = access_key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Invoke a function and wait for its answer."""
        name = self._straight(parameters)
        executor = lambda_invocations.bound()
        if name is None or executor is None:
            answer: dict[str, Any] = self._client.invoke(**parameters)
            return answer
        try:
            return _answer(executor.invoke(name, parameters.get("Payload") or b"{}"))
        except Throttled:
            raise _too_many() from None

    def _straight(self, parameters: dict[str, Any]) -> str | None:
        """Give the function's name if nothing speaks against the short way."""
        executor, wanted = lambda_invocations.bound(), str(parameters.get("FunctionName", ""))
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
