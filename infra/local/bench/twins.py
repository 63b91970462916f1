"""A local AWS in a process of its own, so that the laptop and plain moto can be asked the same by the same client.

`python -m infra.local.bench.twins laptop|plain_moto` prints where it answers and ends when its input ends. Plain moto is
moto's own server with moto's own engine, and with what it offers for functions without Docker; that one runs no code at
all, so it is given the cheapest way there is to run it: a call in its own process.
"""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO, Any

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from infra.local.faults import LaptopError
from infra.local.laptop import Laptop, LaptopOptions
from infra.local.synthesis import ROOT

KINDS = ("plain_moto", "laptop")


@contextmanager
def twin(kind: str) -> Iterator[str]:
    """Start one, give its endpoint, end it."""
    command = [sys.executable, "-m", "infra.local.bench.twins", kind]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _endpoint(process.stdout, kind)
        finally:
            process.communicate()


def serve(kind: str) -> None:
    """Serve as a twin until the caller has closed the connection."""
    if kind == "laptop":
        with Laptop(LaptopOptions(issues_key=False)) as laptop:
            _tell(laptop.endpoint)
        return
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": False}
    LambdaSimpleBackend.invoke = _invoke
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["MOTO_PORT"] = str(port)
    _tell(f"http://{host}:{port}")
    server.stop()


def _endpoint(lines: IO[str] | None, kind: str) -> str:
    told = lines.readline() if lines is not None else ""
    if not told.strip():
        raise LaptopError(f"{kind} did not start")
    return str(json.loads(told)["endpoint"])


def _tell(endpoint: str) -> None:
    sys.stdout.write(json.dumps({"endpoint": endpoint}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def _invoke(
    backend: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
) -> bytes:
    del qualifier, headers, response_headers
    function = backend.get_function(function_name)
    handle = _handler(function.code_bytes, function.handler)
    return json.dumps(handle(json.loads(body or "{}"), None)).encode()


@cache
def _handler(code: bytes, handler: str) -> Any:
    module, _, name = handler.rpartition(".")
    space: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        exec(archive.read(f"{module}.py"), space)  # noqa: S102 - the bench's own function
    return space[name]


if __name__ == "__main__":
    serve(sys.argv[1])
