"""A server on loopback that answers with the very events that it is given, as servers of all makes do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
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
    """

    events: Sequence[dict[str, Any] | str]
    is_framed: bool = True
    status: int = 200
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.bodies.append(json.loads(handler.rfile.read(int(handler.headers["content-length"]))))
        handler.send_response(self.status)
        handler.send_header("content-type", "text/event-stream" if self.status < 400 else "application/json")
        if self.is_framed:
            handler.send_header("transfer-encoding", "chunked")
        else:
            handler.close_connection = True
        handler.end_headers()
        for event in self.events:
            said = event if isinstance(event, str) else json.dumps(event)
            data = f"data: {said}\n\n".encode() if self.status < 400 else said.encode()
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self.is_framed else data)
        if self.is_framed:
            handler.wfile.write(b"0\r\n\r\n")


@contextmanager
def raw_server(
    *events: dict[str, Any] | str, is_framed: bool = True, status: int = 200
) -> Iterator[RawServer]:
    """Serve these events at any path."""
    server = RawServer(events, is_framed, status)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

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
