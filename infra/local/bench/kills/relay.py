"""A relay between functions and a model provider, which counts calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx2

_LIMIT_S: Final = 60.0
_LEFT_OUT: Final = frozenset({"host", "content-length", "connection", "accept-encoding"})


class Relay:
    """Count what was asked since the last run began.

    `within` is called with the number of each call whose reply has begun.
    """

    def __init__(self, provider: str) -> None:
        """Take the address of the provider."""
        self.provider = provider
        self.calls = 0
        self.within: Callable[[int], None] = _nothing
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Reset the counts, for another run."""
        with self._lock:
            self.calls = 0

    def next_call(self) -> int:
        """Count a call."""
        with self._lock:
            self.calls += 1
            return self.calls


def _nothing(_: int) -> None:
    """Let a reply stream on."""


class _Passing(BaseHTTPRequestHandler):
    relay: Relay

    def do_POST(self) -> None:
        """Pass one call on, and its reply back piece by piece; a dead caller misses the rest."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _LEFT_OUT}
        number, self.close_connection = self.relay.next_call(), True
        address = f"{self.relay.provider}{self.path}"
        with (
            suppress(ConnectionError),
            httpx2.stream("POST", address, content=body, headers=headers, timeout=_LIMIT_S) as reply,
        ):
            self.send_response(reply.status_code)
            self.send_header("Content-Type", reply.headers["content-type"])
            self.end_headers()
            for piece, chunk in enumerate(reply.iter_raw()):
                self.wfile.write(chunk)
                self.wfile.flush()
                if piece == 0:
                    self.relay.within(number)

    def log_message(self, *args: Any) -> None:
        """Keep the bench's output clean."""


@contextmanager
def relay_to(provider: str) -> Iterator[tuple[Relay, str]]:
    """Open a relay on a free port of this machine; give it and its address."""
    relay = Relay(provider)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Passing", (_Passing,), {"relay": relay}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="model-relay").start()
    try:
        yield relay, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
