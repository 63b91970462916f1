"""The Lambda Runtime API for one worker, whose runtime client is AWS's own.

Each worker has a listener: the client reports a failed init to `host:port` only, so a shared listener with a path prefix
would lose init errors. The server is small because every invocation passes through it: it has the subset of HTTP/1.1
that the client uses.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

_ACCEPTED = b'{"status":"OK"}'


@dataclass
class Invocation:
    """One event for a worker; `done` is set once the worker has answered."""

    payload: bytes
    arn: str
    timeout_s: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: threading.Event = field(default_factory=threading.Event)
    body: bytes = b""
    function_error: str | None = None
    deadline_ms: int = 0

    def start_clock(self) -> None:
        """Set the deadline when the event is handed over; a wait for a sandbox does not count."""
        self.deadline_ms = int((time.time() + self.timeout_s) * 1000)

    def answer(self, body: bytes, function_error: str | None) -> None:
        """Keep the first answer, and drop a late one."""
        if not self.done.is_set():
            self.body, self.function_error = body, function_error
            self.done.set()


class RuntimeApi:
    """Serves `next`, `response`, `error` and `init/error` to one worker process."""

    def __init__(self) -> None:
        """Bind the port that the worker's environment must name."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.ready = threading.Event()
        self.init_error: bytes | None = None
        self._events: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current: Invocation | None = None
        threading.Thread(target=self._accept, daemon=True, name=f"runtime-api-{self.address}").start()

    def offer(self, invocation: Invocation) -> None:
        """Pass an event to the worker, which waits for it in `next`."""
        invocation.start_clock()
        self._current = invocation
        self._events.put(invocation)

    def close(self) -> None:
        """End the wait in `next`, and stop listening."""
        self._events.put(None)
        # close() alone does not wake a thread that is blocked in accept(); shutdown() does.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while (request := read_request(stream, connection)) is not None:
                    if not self._route(connection, request):
                        return
            except (OSError, ValueError):
                return

    def _route(self, connection: socket.socket, request: WireRequest) -> bool:
        match request.path.split("/")[3:]:
            case ["invocation", "next"]:
                return self._next(connection)
            case ["invocation", request_id, ("response" | "error") as verb]:
                self._complete(request_id, request.body, None if verb == "response" else "Unhandled")
                write_response(connection, 202, _ACCEPTED)
            case ["init", "error"]:
                self.init_error = request.body
                self.ready.set()
                write_response(connection, 202, _ACCEPTED)
            case _:
                write_response(connection, 404, b"{}")
        return True

    def _next(self, connection: socket.socket) -> bool:
        self.ready.set()
        invocation = self._events.get()
        if invocation is None:
            return False
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{invocation.id.replace('-', '')[:24]}",
        }
        write_response(connection, 200, invocation.payload, headers)
        return True

    def _complete(self, request_id: str, body: bytes, function_error: str | None) -> None:
        invocation = self._current
        if invocation is not None and invocation.id == request_id:
            invocation.answer(body, function_error)


@dataclass(frozen=True)
class WireRequest:
    """One request of the runtime client."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def read_request(stream: BinaryIO, connection: socket.socket) -> WireRequest | None:
    """Read one request; return None when the client has closed the connection."""
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = _read_headers(stream)
    if "expect" in headers:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return WireRequest(method, path, headers, _read_body(stream, headers))


def write_response(
    connection: socket.socket, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Write a response, and keep the connection open."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return b"".join(_chunks(stream))
    return stream.read(int(headers.get("content-length") or 0))


def _chunks(stream: BinaryIO) -> list[bytes]:
    chunks: list[bytes] = []
    while size := int(stream.readline().split(b";")[0] or b"0", 16):
        chunks.append(stream.read(size))
        stream.readline()
    _read_headers(stream)
    return chunks
