"""The two ways to start a worker: a new process, or a fork of a warm one."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_WORKER_MAIN = Path(__file__).with_name("worker_main.py")


@dataclass(frozen=True)
class LaunchRequest:
    """What a worker process starts with."""

    handler: str
    code_dir: Path
    environment: Mapping[str, str]
    log_fd: int


class WorkerProcess(Protocol):
    """A started worker process."""

    pid: int

    def status(self) -> int | None:
        """Return the exit status (negative: a signal), or None while the process lives."""

    def kill(self) -> None:
        """End the worker and all processes that it started."""


class Launcher(Protocol):
    """Starts worker processes until it is closed."""

    def start(self, request: LaunchRequest) -> WorkerProcess:
        """Start one worker."""

    def close(self) -> None:
        """End the living workers, and start no more."""


def kill_group(pid: int) -> None:
    """End the process group of a worker, whose handler may have started children."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


class PlainProcess:
    """A worker that was started as a fresh interpreter."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Keep the process, which leads its own group."""
        self._process = process
        self.pid = process.pid

    def status(self) -> int | None:
        """Return the exit status, or None while the process lives."""
        return self._process.poll()

    def kill(self) -> None:
        """End the group and reap its leader, so that no zombie stays."""
        kill_group(self.pid)
        self._process.wait()


class SubprocessLauncher:
    """Starts a new interpreter for each worker: slower, and the reference for the fork.

    Linux sends the death signal when the *thread* that started a child ends, so one long-lived thread starts them all.
    """

    def __init__(self) -> None:
        """Start the thread that starts all workers."""
        self._requests: queue.SimpleQueue[tuple[LaunchRequest, Future[WorkerProcess]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, daemon=True, name="worker-launcher")
        self._thread.start()

    def start(self, request: LaunchRequest) -> WorkerProcess:
        """Start a worker from the launcher's thread, and return it."""
        future: Future[WorkerProcess] = Future()
        self._requests.put((request, future))
        return future.result()

    def close(self) -> None:
        """End the thread, whose death signal ends the workers that are left."""
        self._requests.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._requests.get()) is not None:
            request, future = work
            try:
                future.set_result(self._popen(request))
            except OSError as error:
                future.set_exception(error)

    def _popen(self, request: LaunchRequest) -> PlainProcess:
        command = [sys.executable, "-P", "-X", "utf8", str(_WORKER_MAIN), str(os.getpid()), request.handler]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            command,
            cwd=request.code_dir,
            env=dict(request.environment),
            stdin=subprocess.DEVNULL,
            stdout=request.log_fd,
            stderr=request.log_fd,
            start_new_session=True,
        )
        return PlainProcess(process)
