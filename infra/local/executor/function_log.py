"""One log file for each function, with the lines that CloudWatch would have."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

from infra.local.executor.spec import FunctionSpec, InvocationResult

_TAIL_BYTES = 4096
_TICK_MS = 500


class FunctionLog:
    """The log file of a function, to which its workers append whole blocks."""

    def __init__(self, path: Path) -> None:
        """Create the folder if it does not exist."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()

    def append(self, text: str) -> None:
        """Write a block and close the file, which may be deleted or read at any time."""
        # An invocation writes twice; file objects would take a third of its time.
        with self._lock:
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                _write_all(fd, text.encode())
            finally:
                os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


class LogPipe:
    """The output of one worker, for its log file and for the tail of each invocation."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Open the pipe; the worker gets `write_fd`, and this side reads until the worker ends."""
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        self._write = write
        self._tail = b""
        self._lock = threading.Lock()
        self._open = True
        threading.Thread(target=self._pump, daemon=True, name=f"log-{self._read_fd}").start()

    def close_write_end(self) -> None:
        """Close this side's copy of the write end, so that the pipe ends with the worker."""
        os.close(self.write_fd)

    def take_tail(self) -> str:
        """Return the last 4 KB that the worker has printed, as Lambda's LogResult does."""
        self._drain()
        with self._lock:
            tail, self._tail = self._tail, b""
        return tail.decode("utf-8", "replace")

    def _pump(self) -> None:
        poller = select.poll()
        poller.register(self._read_fd, select.POLLIN | select.POLLHUP)
        # A worker that prints more than a pipe holds (64 KB) would block if the pipe were not read between invocations.
        while self._open:
            if poller.poll(_TICK_MS):
                self._drain()
        os.close(self._read_fd)

    def _drain(self) -> None:
        with self._lock:
            while self._open and (chunk := self._read()):
                self._tail = (self._tail + chunk)[-_TAIL_BYTES:]
                # The runtime client ends the lines of a traceback with CR, which a terminal would overprint.
                self._write(chunk.decode("utf-8", "replace").replace("\r", "\n"))

    def _read(self) -> bytes:
        try:
            chunk = os.read(self._read_fd, 65_536)
        except BlockingIOError:
            return b""
        except OSError:
            chunk = b""
        self._open = bool(chunk)
        return chunk


def start_line(request_id: str) -> str:
    """Return the line with which CloudWatch begins an invocation."""
    return f"START RequestId: {request_id} Version: $LATEST\n"


def end_lines(spec: FunctionSpec, result: InvocationResult) -> str:
    """Return the lines with which CloudWatch ends an invocation, its error included."""
    billed_ms = int(result.duration_ms + (result.init_ms or 0.0)) + 1
    report = [
        f"REPORT RequestId: {result.request_id}",
        f"Duration: {result.duration_ms:.2f} ms",
        f"Billed Duration: {billed_ms} ms",
        f"Memory Size: {spec.memory_mb} MB",
        f"Max Memory Used: {result.max_memory_mb} MB",
    ]
    if result.init_ms is not None:
        report.append(f"Init Duration: {result.init_ms:.2f} ms")
    error = ""
    if result.function_error:
        error = f"ERROR RequestId: {result.request_id} {result.payload[:2000].decode('utf-8', 'replace')}\n"
    return f"{error}END RequestId: {result.request_id}\n" + "\t".join(report) + "\n"
