"""One sandbox: a process with its Runtime API and its log, for many invocations."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping

from infra.local import account
from infra.local.executor.function_log import FunctionLog, LogPipe
from infra.local.executor.launch import Launcher, LaunchRequest
from infra.local.executor.runtime_api import Invocation, RuntimeApi
from infra.local.executor.spec import FunctionSpec

INIT_LIMIT_S = 40.0
"""How long a start may take: Lambda's init phase (10 s), and the 30 s that an HTTP API waits for a response.

Lambda restarts a function that was too slow within its invocation, so a slow start on a busy machine must be no error.
"""

DEBUG_PORT = "STEPWARD_DEBUG_PORT"
"""The variable with a debugger's port, which `worker_main` reads."""

_TICK_S = 0.1


def new_access_key() -> str:
    """Return a temporary key id for one process, which traces AWS calls to its function."""
    return f"ASIA{uuid.uuid4().hex[:16].upper()}"


class Worker:
    """A process that runs the invocations of one function, one at a time."""

    def __init__(
        self, spec: FunctionSpec, launcher: Launcher, log: FunctionLog, endpoint_url: str | None
    ) -> None:
        """Start the process, without waiting until it is ready."""
        self.spec = spec
        self.access_key = new_access_key()
        self.api = RuntimeApi()
        self.log = LogPipe(log.append)
        self._started_s = time.perf_counter()
        environment = worker_environment(spec, self.api.address, self.access_key, endpoint_url)
        request = LaunchRequest(spec.handler, spec.code_dir, environment, self.log.write_fd)
        try:
            self.process = launcher.start(request)
        finally:
            self.log.close_write_end()

    @property
    def alive(self) -> bool:
        """Whether the process can still take an event."""
        return self.process.status() is None

    def wait_ready(self) -> float:
        """Wait for the end of the init phase, and return its duration in ms for the REPORT line."""
        limit_s = INIT_LIMIT_S if self.spec.debug_port is None else self.spec.limit_s
        while not self.api.ready.wait(_TICK_S):
            if not self.alive or time.perf_counter() - self._started_s > limit_s:
                break
        return (time.perf_counter() - self._started_s) * 1000

    def wait_done(self, invocation: Invocation) -> str | None:
        """Wait for the answer; without one, return `timeout`, `exit` or `memory`."""
        end_s = time.monotonic() + self.spec.limit_s
        while not invocation.done.wait(min(_TICK_S, max(0.0, end_s - time.monotonic()))):
            if not self.alive:
                return "exit"
            if time.monotonic() >= end_s:
                return "timeout"
            if self.spec.debug_port is None and self.memory_mb() > self.spec.memory_mb:
                return "memory"
        return None

    def memory_mb(self) -> int:
        """Return the memory of the process without mapped files, shared pages included."""
        try:
            with open(f"/proc/{self.process.pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123 - it runs in every call
                fields = file.read().split()
        except OSError:
            return 0
        return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE") // 1_048_576

    def kill(self) -> None:
        """End the process and free its port."""
        self.process.kill()
        self.api.close()


def worker_environment(
    spec: FunctionSpec, runtime_api: str, access_key: str, endpoint_url: str | None
) -> Mapping[str, str]:
    """Return the variables that Lambda sets, without those of this machine."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/tmp"),  # noqa: S108 - what Lambda itself sets
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(spec.code_dir),
        "_HANDLER": spec.handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "LAMBDA_RUNTIME_DIR": str(spec.code_dir),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": account.REGION,
        "AWS_DEFAULT_REGION": account.REGION,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": "laptop",
        "AWS_SESSION_TOKEN": "laptop",
    }
    if endpoint_url:
        environment |= {"AWS_ENDPOINT_URL": endpoint_url, "AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}
    if spec.debug_port is not None:
        environment |= {DEBUG_PORT: str(spec.debug_port), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    return environment | dict(spec.environment)
