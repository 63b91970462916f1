"""A small client of the Lambda Runtime API for systems without AWS's own client.

The worker loads this file by its path, so it imports the standard library only.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

_BASE = "/2018-06-01/runtime"


class Context:
    """The context that a handler gets as its second argument."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        """Read the invocation from the headers, and the function from the environment."""
        self.aws_request_id = headers.get("Lambda-Runtime-Aws-Request-Id", "")
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn", "")
        self._deadline_ms = int(headers.get("Lambda-Runtime-Deadline-Ms", "0"))
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the handler may still run."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def serve(handler: str) -> None:
    """Load the handler, and run one event after the other until the process ends."""
    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    try:
        function = _load(handler)
    except BaseException as error:  # noqa: BLE001 - whatever an import raises is an init error on Lambda
        _post(address, "/init/error", _error(error, _init_type(error)))
        sys.exit(1)
    connection = http.client.HTTPConnection(address)
    while True:
        _serve_one(connection, address, function)


class HandlerNotFound(Exception):
    """The module of the handler has no such function."""


def _load(handler: str) -> Any:
    module, _, name = handler.rpartition(".")
    loaded = importlib.import_module(module.replace("/", "."))
    if not hasattr(loaded, name):
        raise HandlerNotFound(f"Handler '{name}' missing on module '{module}'")
    return getattr(loaded, name)


def _serve_one(connection: http.client.HTTPConnection, address: str, function: Any) -> None:
    connection.request("GET", f"{_BASE}/invocation/next")
    response = connection.getresponse()
    event = json.loads(response.read())
    context = Context(response.headers)
    try:
        body = json.dumps(function(event, context)).encode()
        verb = "response"
    except Exception as error:  # noqa: BLE001 - a handler's error is data for its caller
        traceback.print_exc()
        body, verb = _error(error, type(error).__name__), "error"
    _post(address, f"/invocation/{context.aws_request_id}/{verb}", body)


def _post(address: str, path: str, body: bytes) -> None:
    connection = http.client.HTTPConnection(address)
    connection.request("POST", _BASE + path, body)
    connection.getresponse().read()
    connection.close()


def _init_type(error: BaseException) -> str:
    if isinstance(error, HandlerNotFound):
        return "Runtime.HandlerNotFound"
    if isinstance(error, ImportError):
        return "Runtime.ImportModuleError"
    if isinstance(error, SyntaxError):
        return "Runtime.UserCodeSyntaxError"
    return type(error).__name__


def _error(error: BaseException, error_type: str) -> bytes:
    trace = traceback.format_tb(error.__traceback__)
    return json.dumps({"errorType": error_type, "errorMessage": str(error), "stackTrace": trace}).encode()
