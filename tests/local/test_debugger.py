"""A debugger attaches to one function, stays through new code, and may take its time."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.executor import Executor, ExecutorSettings, FunctionSpec
from infra.local.laptop import free_port
from tests.local.patience import wait_for
from tests.local.small_stack import write_code


@pytest.fixture(params=["fork", "plain"])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    running = Executor(ExecutorSettings(tmp_path / "logs", fork=request.param == "fork"))
    yield running
    running.close()


def spec(folder: Path) -> FunctionSpec:
    code = write_code(folder / "code")
    return FunctionSpec("echo", "rooms.echo.handle", code, timeout_s=0.5, debug_port=free_port())


def attached(port: int) -> dict[str, Any] | None:
    """Say hello in the Debug Adapter Protocol, as an editor does."""
    hello = {"seq": 1, "type": "request", "command": "initialize", "arguments": {"adapterID": "test"}}
    body = json.dumps(hello).encode()
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            stream = connection.makefile("rb")
            with stream:
                while True:
                    length = int(stream.readline().split(b":")[1])
                    stream.readline()
                    message: dict[str, Any] = json.loads(stream.read(length))
                    if message["type"] == "response":
                        return message
    except (OSError, IndexError):
        return None


def test_a_debugger_finds_the_function_before_and_after_new_code(executor: Executor, tmp_path: Path) -> None:
    first = spec(tmp_path)
    executor.register(first)
    assert first.debug_port is not None
    port = first.debug_port
    assert wait_for(lambda: attached(port))["success"]
    pid = json.loads(executor.invoke("echo", b"{}").payload)["pid"]
    executor.register(replace(first, code_dir=write_code(tmp_path / "other")))
    assert wait_for(lambda: attached(port))["success"]
    assert json.loads(executor.invoke("echo", b"{}").payload)["pid"] != pid


def test_a_debugged_function_has_no_timeout_and_one_process(executor: Executor, tmp_path: Path) -> None:
    executor.register(spec(tmp_path))
    result = executor.invoke("echo", b'{"sleep_s": 1.2, "answer": "late"}')
    assert (result.function_error, result.payload) == (None, b'"late"')
    pids = {json.loads(executor.invoke("echo", b"{}").payload)["pid"] for _ in range(3)}
    assert len(pids) == 1
