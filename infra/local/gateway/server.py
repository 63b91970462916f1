"""The sockets of the gateway: HTTP/1.1 with keep-alive, a bounded number of threads, one log line a request."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.gateway.api import MAX_BODY_BYTES, HttpApi
from infra.local.gateway.messages import INTERNAL_ERROR, TOO_LARGE, Request, Response

_MAX_CONNECTIONS = 256
_IDLE_LIMIT_S = 20.0
_DRAIN_LIMIT_BYTES = 64 * 1024 * 1024
_DRAIN_BLOCK_BYTES = 65_536


class PortInUse(OSError):
    """Somebody else listens where the laptop wanted to."""

    def __init__(self, port: int) -> None:
        """Keep the port for the message that tells how to choose another."""
        super().__init__(errno.EADDRINUSE, f"port {port} is in use")
        self.port = port


class GatewayServer:
    """Serve an HTTP API on a loopback port, from start to close."""

    def __init__(self, port: int, log: Callable[[str], None]) -> None:
        """Bind at once: a port in use is to be known before anything else is started."""
        self._api: HttpApi | None = None
        try:
            self._server = _Server(("127.0.0.1", port), lambda: self._api, log)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(port) from None
            raise
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="gateway")

    def serve(self, api: HttpApi) -> None:
        """Begin to answer."""
        self._api = api
        self._thread.start()

    def close(self) -> None:
        """Stop listening; requests under way end with the process."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        if self._api is not None:
            self._api.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], api: Callable[[], HttpApi | None], log: Callable[[str], None]
    ) -> None:
        self.api = api
        self.log = log
        self._places = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._places.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that hangs up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stepward-laptop"
    timeout = _IDLE_LIMIT_S
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        started_s = time.perf_counter()
        body = self._read_body()
        response = TOO_LARGE if body is None else self._respond(body)
        self._send(response)
        took_ms = (time.perf_counter() - started_s) * 1000
        self.server.log(
            f"{time.strftime('%H:%M:%S')} {self.command} {self.path} {response.status} {took_ms:.0f} ms\n"
        )

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _respond(self, body: bytes) -> Response:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        request = Request(self.command, self.path, headers, body, self.client_address[0])
        api = self.server.api()
        try:
            return INTERNAL_ERROR if api is None else api.handle(request)
        except Exception as error:  # noqa: BLE001 - the border of a request: one must not take the server down
            self.server.log(f"the gateway itself failed: {error!r}\n")
            return INTERNAL_ERROR

    def _read_body(self) -> bytes | None:
        if "chunked" in (self.headers.get("transfer-encoding") or "").lower():
            return self._read_chunks()
        length = int(self.headers.get("content-length") or 0)
        if length <= MAX_BODY_BYTES:
            return self.rfile.read(length)
        self.close_connection = True
        # Closing with unread bytes would reset the connection before the client has read the refusal.
        left = min(length, _DRAIN_LIMIT_BYTES)
        while left > 0 and (block := self.rfile.read(min(left, _DRAIN_BLOCK_BYTES))):
            left -= len(block)
        return None

    def _read_chunks(self) -> bytes | None:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            if len(body) + size > MAX_BODY_BYTES:
                self.close_connection = True
                return None
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b"\n", b""):
            continue
        return body

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            if name not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status != 204:
            self.wfile.write(response.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on the console: the log file has the line."""
