"""Keep the connections to the local AWS open, which halves the time that many runs at once take.

The stock server closes every connection after one request: each call then costs a new connection on both sides, a new
thread and a wait of 10 ms.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

_IDLE_LIMIT_S = 60.0
_NO_BODY = (204, 304)


class KeepAliveHandler(MotoRequestHandler):  # type: ignore[misc]
    """Serve several requests on one connection.

    Bodies are read whole first, so that the next line is a request.
    """

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_LIMIT_S
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Run the application for one request; what is chunked goes the stock way."""
        if "transfer-encoding" in self.headers:
            super().run_wsgi()
            self.close_connection = True
            return
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(self.headers.get("content-length") or 0)))
        answer = _Answer()
        try:
            body = b"".join(self.server.app(environ, answer.start))
        except Exception as error:  # noqa: BLE001 - moto's own failures are answers: a client must get its 500
            answer.start("500 Internal Server Error", [("Content-Type", "text/plain")])
            body = f"moto failed: {error!r}".encode()
        self._send(answer, body)

    def _send(self, answer: _Answer, body: bytes) -> None:
        self.send_response(answer.code, answer.reason)
        for name, value in answer.headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        if answer.code not in _NO_BODY:
            # HEAD tells the length of what GET would send; S3 clients rely on it.
            self.send_header("Content-Length", answer.stated_length() if is_head else str(len(body)))
        self.end_headers()
        if body and not is_head and answer.code not in _NO_BODY:
            self.wfile.write(body)


class _Answer:
    """What the application says before its body."""

    def __init__(self) -> None:
        self.code = 500
        self.reason = ""
        self.headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: Iterable[tuple[str, str]], error: Any = None) -> None:
        """Be the `start_response` of WSGI."""
        del error
        code, _, self.reason = status.partition(" ")
        self.code = int(code)
        self.headers = list(headers)

    def stated_length(self) -> str:
        """The length that the application named, if it did."""
        return next((value for name, value in self.headers if name.lower() == "content-length"), "0")
