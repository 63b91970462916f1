"""Patches of Lambda's functions: the executor runs them, also those that its API creates."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction

from infra.local.executor import Executor, FunctionSpec, Throttled
from infra.local.executor.faults import MAX_REQUEST_BYTES, UnknownFunction

Acceptor = Callable[[LambdaFunction, bytes], None]
"""Takes moto's function and the event of an asynchronous invocation."""

_current: list[Executor] = []
_acceptors: list[Acceptor] = []


class TooManyRequests(LambdaClientError):  # type: ignore[misc]
    """No sandbox is free; Step Functions names it Lambda.TooManyRequestsException."""

    code = 429

    def __init__(self) -> None:
        """Use Lambda's code and message."""
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class RequestTooLarge(LambdaClientError):  # type: ignore[misc]
    """The event is over 6 MB."""

    code = 413

    def __init__(self, size_bytes: int) -> None:
        """Name the size and the limit."""
        super().__init__(
            "RequestTooLargeException",
            f"{size_bytes} byte payload is too large for the event (limit {MAX_REQUEST_BYTES})",
        )


class NothingToRun(LambdaClientError):  # type: ignore[misc]
    """The function has no code, or code that is not Python."""

    code = 502

    def __init__(self, name: str) -> None:
        """Name the function, and what the laptop can run."""
        super().__init__("InvalidRuntimeException", f"{name}: the laptop runs uploaded Python code only.")


def bind(executor: Executor | None) -> None:
    """Run later invocations in an executor; None removes it."""
    _current[:] = [] if executor is None else [executor]


def bind_events(acceptor: Acceptor | None) -> None:
    """Pass later asynchronous invocations to an acceptor; None drops them."""
    _acceptors[:] = [] if acceptor is None else [acceptor]


def bound() -> Executor | None:
    """Return the executor of the running laptop, or None."""
    return _current[0] if _current else None


def install_lambda_invocations() -> None:
    """Run functions in the executor.

    moto runs functions in Docker containers.

    Where: `LambdaFunction.invoke` in moto/awslambda/models.py, which the Lambda API, Step Functions, S3 and the other services
    all call. It also runs `Event` invocations in the caller's time, never retries them, and calls every function error
    `Handled`.
    """
    LambdaFunction.invoke = _invoke


def _invoke(
    function: LambdaFunction,
    body: str | bytes,
    request_headers: Mapping[str, str],
    response_headers: dict[str, str],
) -> bytes:
    payload = body.encode() if isinstance(body, str) else (body or b"{}")
    if len(payload) > MAX_REQUEST_BYTES:
        raise RequestTooLarge(len(payload))
    kind = request_headers.get("x-amz-invocation-type") or "RequestResponse"
    if kind == "DryRun":
        return b""
    if kind == "Event":
        for accept in _acceptors:
            accept(function, payload or b"{}")
        return b""
    return _run_now(function.function_name, payload or b"{}", response_headers)


def _run_now(name: str, payload: bytes, response_headers: dict[str, str]) -> bytes:
    try:
        result = _executor().invoke(name, payload)
    except Throttled:
        raise TooManyRequests from None
    except UnknownFunction:
        raise NothingToRun(name) from None
    response_headers["x-amz-executed-version"] = "$LATEST"
    response_headers["x-amz-log-result"] = base64.b64encode(result.log_tail.encode()[-4096:]).decode()
    if result.function_error:
        response_headers["x-amz-function-error"] = result.function_error
    return result.payload


def _executor() -> Executor:
    executor = bound()
    if executor is None:
        raise LambdaClientError("ServiceException", "no laptop is running in this process")
    return executor


_WRITERS = (
    "create_function",
    "update_function_code",
    "update_function_configuration",
    "put_function_concurrency",
    "delete_function_concurrency",
)
_NO_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
ORIGINALS = {name: getattr(LambdaBackend, name) for name in _WRITERS}
ORIGINAL_DELETE = LambdaBackend.delete_function


def install_uploaded_functions() -> None:
    """Register functions that Lambda's API creates or changes with the executor.

    moto unpacks the code of a function that was made by Lambda's API into a Docker container only.

    Where: `LambdaBackend` in moto/awslambda/models.py. Here the executor gets the code, so that a function outside the
    template (of a test, or of a person who tries something) runs like those of the template, for every trigger.
    """
    for name, original in ORIGINALS.items():
        setattr(LambdaBackend, name, _following(original))
    LambdaBackend.delete_function = _delete


def _following(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(backend: LambdaBackend, what: Any, *args: Any, **named: Any) -> Any:
        answer = original(backend, what, *args, **named)
        is_new = isinstance(what, dict)
        function = backend.get_function(what["FunctionName"] if is_new else what)
        try:
            _make_known(function)
        except zipfile.BadZipFile:
            if is_new:
                ORIGINAL_DELETE(backend, function.function_name)
            raise LambdaClientError("InvalidParameterValueException", _NO_ZIP) from None
        return answer

    return call


def _delete(backend: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
    name = backend.get_function(function_name).function_name
    ORIGINAL_DELETE(backend, function_name, qualifier)
    executor = bound()
    if executor is not None and qualifier is None:
        executor.forget(name)


def _make_known(function: LambdaFunction) -> None:
    executor = bound()
    is_python = (function.run_time or "").startswith("python")
    # The deployer uploads nothing: it registers the functions of the template, with their folders, itself.
    if executor is None or not is_python or not _names(function.code_bytes):
        return
    executor.register(_spec(function, _unpacked(function, executor)))


def _spec(function: LambdaFunction, code_dir: Path) -> FunctionSpec:
    return FunctionSpec(
        name=function.function_name,
        handler=function.handler,
        code_dir=code_dir,
        timeout_s=float(function.timeout),
        memory_mb=int(function.memory_size),
        environment={name: str(value) for name, value in function.environment_vars.items()},
        reserved_concurrency=int(reserved)
        if (reserved := function.reserved_concurrency) is not None
        else None,
        runtime=function.run_time,
        role_arn=function.role,
    )


def _unpacked(function: LambdaFunction, executor: Executor) -> Path:
    folder: Path = executor.uploads_dir / function.code_digest.removeprefix("sha256:")
    with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
        archive.extractall(folder)
    return folder


def _names(code: bytes) -> list[str]:
    if not code:
        return []
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        return archive.namelist()
