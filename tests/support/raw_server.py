"""A server on loopback that answers with the very events that it is given, as servers of all makes do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class RawServer:
    """What it says, and what it was asked.

    Args:
        events: The data of each event; a text goes out as it is.
        is_framed: Whether the answer says where it ends, so that one that breaks off is known.
        status: The HTTP status.
        is_ended: Whether a framed answer says that it has ended; one that does not breaks off.
        headers: Further headers of the answer.
        raw: What is sent in place of events, as it is.
    """

    events: Sequence[dict[str, Any] | str]
    is_framed: bool = True
    status: int = 200
    is_ended: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Sequence[bytes] = ()
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    sent_bytes: int = 0

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.bodies.append(json.loads(handler.rfile.read(int(handler.headers["content-length"]))))
        handler.send_response(self.status)
        kind = "text/event-stream" if self.status < 400 else "application/json"
        handler.send_header("content-type", self.headers.get("content-type", kind))
        if self.is_framed:
            handler.send_header("transfer-encoding", "chunked")
        else:
            handler.close_connection = True
        for name, value in self.headers.items():
            if name != "content-type":
                handler.send_header(name, value)
        handler.end_headers()
        try:
            for data in self.raw or map(self._written, self.events):
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self.is_framed else data)
                self.sent_bytes += len(data)
            if self.is_framed and self.is_ended:
                handler.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            handler.close_connection = True  # nobody reads it any more
        handler.close_connection = handler.close_connection or not self.is_ended

    def _written(self, event: dict[str, Any] | str) -> bytes:
        said = event if isinstance(event, str) else json.dumps(event)
        return f"data: {said}\n\n".encode() if self.status < 400 else said.encode()


@contextmanager
def raw_server(
    *events: dict[str, Any] | str, is_framed: bool = True, status: int = 200, **more: Any
) -> Iterator[RawServer]:
    """Serve these events at any path."""
    server = RawServer(events, is_framed, status, **more)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            server.answer(self)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{listening.server_address[1]}/v1"
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
