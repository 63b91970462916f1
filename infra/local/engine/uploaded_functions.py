"""moto unpacks the code of a function that was made by Lambda's API into a Docker container only.

Where: `LambdaBackend` in moto/awslambda/models.py. Here the executor gets the code, so that a function which no template
has (of a test, of a person who tries something) runs like those of the template, for whichever trigger.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend

from infra.local.engine import lambda_invocations
from infra.local.executor import Executor, FunctionSpec

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


def install() -> None:
    """Stand behind everything that makes or changes a function."""
    for name, original in ORIGINALS.items():
        setattr(LambdaBackend, name, _following(original))
    LambdaBackend.delete_function = _delete


def _following(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(backend: Any, what: Any, *args: Any, **named: Any) -> Any:
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


def _delete(backend: Any, function_name: str, qualifier: str | None = None) -> None:
    name = backend.get_function(function_name).function_name
    ORIGINAL_DELETE(backend, function_name, qualifier)
    executor = lambda_invocations.bound()
    if executor is not None and qualifier is None:
        executor.forget(name)


def _make_known(function: Any) -> None:
    executor = lambda_invocations.bound()
    is_python = (function.run_time or "").startswith("python")
    # The deployer uploads nothing: it tells the executor itself where the code of the template's functions lies.
    if executor is None or not is_python or not _names(function.code_bytes):
        return
    executor.register(_spec(function, _unpacked(function, executor)))


def _spec(function: Any, code_dir: Path) -> FunctionSpec:
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


def _unpacked(function: Any, executor: Executor) -> Path:
    folder: Path = executor.uploads_dir / function.code_digest.removeprefix("sha256:")
    with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
        archive.extractall(folder)
    return folder


def _names(code: bytes) -> list[str]:
    if not code:
        return []
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        return archive.namelist()
