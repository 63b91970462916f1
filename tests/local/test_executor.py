"""Functions run as on Lambda: environment, errors, limits, log lines, no orphans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.executor import Executor, ExecutorSettings, FunctionSpec, Throttled, Trouble
from tests.local.patience import alive, wait_for
from tests.local.small_stack import write_code

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["fork", "plain", "small"])
def executor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """Both ways of starting a worker, and both runtime clients, must look the same from outside."""
    small = {"STEPWARD_RUNTIME_CLIENT": "small"} if request.param == "small" else {}
    folder = tmp_path_factory.mktemp(request.param)
    code = write_code(folder / "code")
    settings = ExecutorSettings(log_dir=folder / "logs", fork=request.param == "fork", throttle_wait_s=0.3)
    running = Executor(settings, TROUBLES.append)
    running.register(
        FunctionSpec(
            "small-echo", "rooms.echo.handle", code, 1.0, 192, {"POWERTOOLS_SERVICE_NAME": "echo"} | small
        )
    )
    running.register(
        FunctionSpec("single", "rooms.echo.handle", code, 20.0, 192, small, reserved_concurrency=1)
    )
    running.register(FunctionSpec("broken", "rooms.broken.handle", code, environment=small))
    running.register(FunctionSpec("nameless", "rooms.echo.nothing", code, environment=small))
    yield running
    running.close()


TROUBLES: list[Trouble] = []


def ask(executor: Executor, name: str = "small-echo", **event: Any) -> tuple[str | None, Any]:
    result = executor.invoke(name, json.dumps(event).encode())
    return result.function_error, json.loads(result.payload)


def test_the_answer_is_the_handlers(executor: Executor) -> None:
    assert ask(executor, answer={"a": [1, None]}) == (None, {"a": [1, None]})


def test_the_environment_is_lambdas(executor: Executor) -> None:
    _, answer = ask(executor)
    environment = answer["environment"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "small-echo"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "192"
    assert environment["_HANDLER"] == "rooms.echo.handle"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["PYTHONPATH"] == environment["LAMBDA_TASK_ROOT"]
    assert "VIRTUAL_ENV" not in environment
    assert executor.short_name_of(environment["AWS_ACCESS_KEY_ID"]) == "echo"


def test_a_worker_is_used_again_and_its_key_is_its_own(executor: Executor) -> None:
    (_, first), (_, second) = ask(executor), ask(executor)
    assert first["pid"] == second["pid"]
    _, other = ask(executor, "single")
    assert other["environment"]["AWS_ACCESS_KEY_ID"] != first["environment"]["AWS_ACCESS_KEY_ID"]


@pytest.mark.parametrize(
    ("event", "error_type", "message"),
    [
        ({"raise": "RateLimited", "why": "too fast"}, "RateLimited", "too fast"),
        ({"exit": 3}, "Runtime.ExitError", "exit status 3"),
        ({"exit": 0}, "Runtime.ExitError", "without providing a reason"),
        ({"kill": True}, "Runtime.ExitError", "signal: killed"),
        ({"sleep_s": 5}, "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ({"bytes": 6_300_000}, "Function.ResponseSizeTooLarge", "6291556 bytes"),
    ],
)
def test_errors_have_awss_names(
    executor: Executor, event: dict[str, Any], error_type: str, message: str
) -> None:
    error, payload = ask(executor, **event)
    assert (error, payload["errorType"]) == ("Unhandled", error_type)
    assert message in payload["errorMessage"]
    assert ask(executor, answer="still alive") == (None, "still alive")


def test_too_much_memory_is_a_kill(executor: Executor) -> None:
    """In a function whose timeout is far away, however slow this machine is."""
    error, payload = ask(executor, "single", eat_mb=400)
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert "signal: killed" in payload["errorMessage"]


@pytest.mark.parametrize(
    ("name", "error_type"), [("broken", "Runtime.ImportModuleError"), ("nameless", "Runtime.HandlerNotFound")]
)
def test_init_errors_have_awss_names(executor: Executor, name: str, error_type: str) -> None:
    for _ in range(2):
        error, payload = ask(executor, name)
        assert (error, payload["errorType"]) == ("Unhandled", error_type)


def test_each_trouble_is_one_line_with_the_log_to_read(executor: Executor) -> None:
    TROUBLES.clear()
    ask(executor, exit=1)
    ask(executor, "broken")
    ask(executor, sleep_s=5)
    assert [(trouble.function, trouble.what) for trouble in TROUBLES] == [
        ("echo", "crashed"),
        ("broken", "failed while starting"),
        ("echo", "timed out"),
    ]
    for trouble in TROUBLES:
        assert trouble.log_file.is_file()
        assert str(trouble.log_file) in str(trouble)
        assert "\n" not in str(trouble)


def test_the_log_has_lambdas_lines_and_all_that_was_printed(executor: Executor) -> None:
    result = executor.invoke("small-echo", json.dumps({"print": "word " * 40_000, "answer": 1}).encode())
    log = (executor._logs["small-echo"].path).read_text()
    mine = log[log.index(f"START RequestId: {result.request_id}") :]
    assert mine.count("word") == 40_000
    assert f"END RequestId: {result.request_id}" in mine
    assert "Billed Duration:" in mine
    assert len(result.log_tail) == 4096


def test_reserved_concurrency_throttles(executor: Executor) -> None:
    busy = threading.Thread(target=lambda: ask(executor, "single", sleep_s=2))
    busy.start()
    wait_for(
        lambda: (executor._pools["single"]._places_taken == 1 and not executor._pools["single"]._idle) or None
    )
    with pytest.raises(Throttled):
        ask(executor, "single")
    busy.join()
    assert ask(executor, "single", answer=1) == (None, 1)


def test_many_callers_share_the_workers(executor: Executor) -> None:
    executor._settings = replace(executor._settings, throttle_wait_s=30.0)
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(ask(executor, answer=n))) for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer for _, answer in answers) == list(range(40))
    assert len(executor._pools["small-echo"]._workers) <= 6


def test_close_ends_every_worker(tmp_path: Path) -> None:
    executor = Executor(ExecutorSettings(log_dir=tmp_path / "logs"))
    executor.register(FunctionSpec("echo", "rooms.echo.handle", write_code(tmp_path / "code")))
    _, answer = ask(executor, "echo")
    executor.close()
    executor.close()
    assert not alive(answer["pid"])


@pytest.mark.parametrize("fork", [True, False])
def test_a_killed_laptop_leaves_no_worker(tmp_path: Path, fork: bool) -> None:
    """SIGKILL gives the laptop no chance to clean up, so the system has to."""
    code = write_code(tmp_path / "code")
    script = f"""
import json, sys, time
from pathlib import Path
from infra.local.executor import *
executor = Executor(ExecutorSettings(log_dir=Path({str(tmp_path)!r}), fork={fork}))
executor.register(FunctionSpec("echo", "rooms.echo.handle", Path({str(code)!r})))
print(json.loads(executor.invoke("echo", b"{{}}").payload)["pid"], flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert alive(worker)
        os.kill(parent.pid, signal.SIGKILL)
    wait_for(lambda: None if alive(worker) else True)


def test_the_small_client_serves_where_awss_own_is_missing(tmp_path: Path) -> None:
    settings = ExecutorSettings(log_dir=tmp_path / "logs", fork=False)
    executor = Executor(settings)
    variables = {"STEPWARD_RUNTIME_CLIENT": "small"}
    code = write_code(tmp_path / "code")
    executor.register(FunctionSpec("echo", "rooms.echo.handle", code, environment=variables))
    executor.register(FunctionSpec("broken", "rooms.broken.handle", code, environment=variables))
    try:
        assert ask(executor, "echo", answer=7) == (None, 7)
        error, payload = ask(executor, "echo", **{"raise": "NotFound"})
        assert (error, payload["errorType"]) == ("Unhandled", "NotFound")
        assert ask(executor, "broken")[1]["errorType"] == "Runtime.ImportModuleError"
    finally:
        executor.close()
