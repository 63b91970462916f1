"""Serve HTTP on loopback, stream event by event, and notice when a client leaves."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from stepward.testing.fake_llm.answers import Answer
from stepward.testing.fake_llm.received import Received
from stepward.testing.fake_llm.service import MOST_BODY_BYTES, Service

_IDLE_S: Final = 120
_JOIN_S: Final = 5
_AGAIN_S: Final = 0.02


class ClientGone(Exception):
    """The client has closed the connection, or the server ends."""


class Server(ThreadingHTTPServer):
    """A threading server on loopback that closes every connection when it ends."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        service: Service,
        admit: Callable[[str, str, Any], Received],
        notify: Callable[[], None],
    ) -> None:
        self.service = service
        self.admit = admit
        self.notify = notify
        self.is_ending = False
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, registered while it lasts."""
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that broke; anything else is shown."""
        if not self.is_ending:
            super().handle_error(request, client_address)

    def end(self) -> None:
        """Stop listening, close what is open, and wait for it."""
        self.is_ending = True
        self.shutdown()
        with self._lock:
            still = dict(self._open)
        for connection in still:
            _shut(connection)
        for thread in still.values():
            thread.join(_JOIN_S)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Serve one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "stepward-fake-llm"
    sys_version = ""
    timeout = _IDLE_S
    # Head and body are written apart: the second would wait 40 ms for the client's word that it has the first.
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        """Answer a request with a body."""
        self._serve()

    def do_GET(self) -> None:
        """Answer a request without one."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Log nothing: the provider keeps the requests."""

    def _serve(self) -> None:
        request = self.server.admit(self.command, self.path, self.headers)
        try:
            raw = self._body()
            if raw is None:
                return
            request.size_bytes = len(raw)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = self.server.service.answer(request, raw, headers)
            self._send(answer, request)
        except (ClientGone, OSError):
            request.disconnected = True
            self.close_connection = True
        finally:
            request.done = True
            self.server.notify()

    def _body(self) -> bytes | None:
        """Read a body, up to the limit; refuse one without a length."""
        said = self.headers.get("content-length", "0")
        if not said.isdecimal() or "transfer-encoding" in self.headers:
            self.close_connection = True
            self.send_error(411, "Length Required", "send the body with its content-length")
            return None
        size = int(said)
        self.close_connection |= size > MOST_BODY_BYTES
        return self.rfile.read(min(size, MOST_BODY_BYTES + 1))

    def _send(self, answer: Answer, request: Received) -> None:
        settings = self.server.service.settings
        self._wait(settings.latency_ms / 1000)
        if answer.silent:
            self._wait(answer.waits_s.get(0, 0))
            self.close_connection = True
            return
        self._begin(answer)
        last = len(answer.parts) - 1
        for at, part in enumerate(answer.parts):
            self._wait(answer.waits_s.get(at, 0) + (settings.pace_ms / 1000 if answer.is_stream else 0))
            self._count(
                _framed(part, ends=at == last and not answer.cut) if answer.is_stream else part, request
            )
        if answer.cut:
            self._wait(answer.waits_s.get(len(answer.parts), 0))
            self.close_connection = True
            _shut(self.connection)

    def _count(self, part: bytes, request: Received) -> None:
        """Send a part, counted before it leaves, so that its reader finds it counted."""
        request.events_sent += 1
        try:
            self._write(part)
        except (ClientGone, OSError):
            request.events_sent -= 1
            raise
        self.server.notify()

    def _begin(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.is_stream:
            self.send_header("transfer-encoding", "chunked")
            self.send_header("cache-control", "no-cache")
        else:
            # What is cut says how long it would have been, so that the client sees that it is not whole.
            size = sum(map(len, answer.parts)) + (1 if answer.cut else 0)
            self.send_header("content-length", str(size))
        self.end_headers()

    def _write(self, raw: bytes) -> None:
        self.wfile.write(raw)
        self.wfile.flush()

    def _wait(self, seconds: float) -> None:
        """Wait, and end as soon as the client has gone."""
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            while True:
                left = max(0.0, until - time.monotonic())
                if not selector.select(left):
                    return
                if self.server.is_ending or not self.connection.recv(1, socket.MSG_PEEK):
                    raise ClientGone
                if left == 0:
                    return
                time.sleep(min(left, _AGAIN_S))  # the client has sent more already: look again a little later


def _framed(part: bytes, *, ends: bool) -> bytes:
    """Frame a chunk; the last one carries the end.

    Some clients leave as soon as they have the last chunk.
    """
    return b"%x\r\n%b\r\n%b" % (len(part), part, b"0\r\n\r\n" if ends else b"")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already
