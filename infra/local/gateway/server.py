"""The sockets of the gateway: HTTP/1.1 with keep-alive, a bounded number of threads, one log line a request."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.gateway import bodies
from infra.local.gateway.api import MAX_BODY_BYTES, HttpApi
from infra.local.gateway.docs_site import DocsSite
from infra.local.gateway.events import is_target
from infra.local.gateway.messages import BAD_REQUEST, INTERNAL_ERROR, TOO_LARGE, Request, Response
from infra.local.gateway.websocket_connection import SocketConnection
from infra.local.gateway.websocket_management import Management

_MAX_CONNECTIONS = 256
_IDLE_LIMIT_S = 20.0


class PortInUse(OSError):
    """Somebody else listens where the laptop wanted to."""

    def __init__(self, port: int) -> None:
        """Keep the port for the message that tells how to choose another."""
        super().__init__(errno.EADDRINUSE, f"port {port} is in use")
        self.port = port


class GatewayServer:
    """Serve an HTTP API on a loopback port, from start to close."""

    def __init__(self, port: int, log: Callable[[str], None], docs: DocsSite | None = None) -> None:
        """Bind at once: a port in use is to be known before anything else is started."""
        self._api: HttpApi | None = None
        try:
            self._server = _Server(("127.0.0.1", port), lambda: self._api, log)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(port) from None
            raise
        self._server.docs = docs
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="gateway")

    def serve(self, api: HttpApi, management: Management | None = None) -> None:
        """Begin to answer."""
        self._api = api
        self._server.management = management
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
        self.management: Management | None = None
        self.docs: DocsSite | None = None
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
        management = self.server.management
        if management is not None and (self.headers.get("upgrade") or "").lower() == "websocket":
            self._speak(management)
            return
        started_s = time.perf_counter()
        response = self._answer()
        self._send(response)
        took_ms = (time.perf_counter() - started_s) * 1000
        self.server.log(f"{time.strftime('%H:%M:%S')} {self._route()} {response.status} {took_ms:.0f} ms\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _speak(self, management: Management) -> None:
        """Give the socket to the WebSocket API, for as long as its client stays."""
        self.close_connection = True
        self.connection.settimeout(None)
        lines = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items()), "", ""]
        handshake = "\r\n".join(lines).encode("latin-1")
        self.server.log(f"{time.strftime('%H:%M:%S')} {self.command} (WebSocket)\n")
        connection = SocketConnection(self.connection, self.rfile.read1, handshake)
        management.sockets.serve(self._request(), connection)

    def _route(self) -> str:
        """Name the route and not the path, in which there may be a secret."""
        api = self.server.api()
        return f"{self.command} (no route)" if api is None else api.route_of(self._request())

    def _request(self) -> Request:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        return Request(self.command, self.path, headers, b"", self.client_address[0])

    def _answer(self) -> Response:
        request = self._request()
        if not is_target(self.path):
            return self._refuse(request, BAD_REQUEST)
        try:
            body = bodies.read(self.rfile, self.headers, MAX_BODY_BYTES)
        except bodies.Malformed:
            return self._refuse(request, BAD_REQUEST)
        except bodies.TooLarge:
            return self._refuse(request, TOO_LARGE)
        return self._guarded(lambda api: self._handled(api, replace(request, body=body)))

    def _handled(self, api: HttpApi, request: Request) -> Response:
        for beside in (self.server.management, self.server.docs):
            if beside is not None and (answer := beside.answer(request)) is not None:
                return answer
        return api.handle(request)

    def _refuse(self, request: Request, refusal: Response) -> Response:
        # Where the next request would begin is not known after a body that was not read to its end.
        self.close_connection = True
        return self._guarded(lambda api: api.refuse(request, refusal))

    def _guarded(self, answer: Callable[[HttpApi], Response]) -> Response:
        api = self.server.api()
        try:
            return INTERNAL_ERROR if api is None else answer(api)
        except Exception as error:  # noqa: BLE001 - the border of a request: one must not take the server down
            self.server.log(f"the gateway itself failed: {error!r}\n")
            return INTERNAL_ERROR

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
