"""The two ways to start a worker: a new process, or a fork of a warm one."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

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


_ZYGOTE = Path(__file__).with_name("zygote.py")
_MAX_MESSAGE_BYTES = 256 * 1024
_START_LIMIT_S = 30.0


class ForkedProcess:
    """A worker that the zygote forked; only the zygote gets its exit status."""

    def __init__(self, pid: int) -> None:
        """Begin with a living process."""
        self.pid = pid
        self._status: int | None = None
        self._ended = threading.Event()

    def status(self) -> int | None:
        """Return the exit status that the zygote reported, or None while the process lives."""
        return self._status

    def kill(self) -> None:
        """End the process group; the zygote reaps its leader."""
        if not self._ended.is_set():
            kill_group(self.pid)
            self._ended.wait(2.0)

    def ended(self, status: int) -> None:
        """Keep the exit status that the zygote reported."""
        self._status = status
        self._ended.set()


class ForkLauncher:
    """Starts workers in some 20 to 40 ms by forking a warm interpreter."""

    def __init__(self) -> None:
        """Start the zygote from a thread that lives as long, which its death signal depends on."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[WorkerProcess]] = {}
        self._workers: dict[int, ForkedProcess] = {}
        started: Future[subprocess.Popen[bytes]] = Future()
        self._thread = threading.Thread(target=self._run, args=(theirs, started), daemon=True, name="zygote")
        self._thread.start()
        self._zygote = started.result()

    def start(self, request: LaunchRequest) -> WorkerProcess:
        """Send the request with the log's descriptor, and return the worker that was forked."""
        future: Future[WorkerProcess] = Future()
        request_id = uuid.uuid4().hex
        message = {
            "id": request_id,
            "handler": request.handler,
            "code_dir": str(request.code_dir),
            "environment": dict(request.environment),
        }
        with self._lock:
            self._waiting[request_id] = future
            socket.send_fds(self._control, [json.dumps(message).encode()], [request.log_fd])
        return future.result(_START_LIMIT_S)

    def close(self) -> None:
        """Close the connection, at which the zygote ends its children and itself."""
        self._control.shutdown(socket.SHUT_WR)
        self._zygote.wait()
        self._thread.join()
        self._control.close()

    def _run(self, theirs: socket.socket, started: Future[subprocess.Popen[bytes]]) -> None:
        command = [sys.executable, "-P", "-X", "utf8", str(_ZYGOTE), str(theirs.fileno()), str(os.getpid())]
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/tmp")}  # noqa: S108
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        started.set_result(process)
        while message := self._receive():
            self._handle(json.loads(message))
        self._zygote_gone()

    def _receive(self) -> bytes:
        try:
            return self._control.recv(_MAX_MESSAGE_BYTES)
        except OSError:
            return b""

    def _handle(self, message: dict[str, Any]) -> None:
        if "started" in message:
            process = ForkedProcess(message["started"])
            self._workers[process.pid] = process
            self._waiting.pop(message["id"]).set_result(process)
        elif (ended := self._workers.pop(message["exited"], None)) is not None:
            ended.ended(message["status"])

    def _zygote_gone(self) -> None:
        for process in self._workers.values():
            process.ended(-9)
        for future in self._waiting.values():
            future.set_exception(OSError("the process that forks workers has ended"))
