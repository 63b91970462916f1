"""A site that workflows' tasks call when they start: it hears which runs, and answers each when the bench says so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class CalledSite:
    """What the tasks said: each names itself and the address at which it waits for a call."""

    def __init__(self) -> None:
        """Begin with no calls."""
        self._changed = threading.Condition()
        self._callbacks: dict[str, str] = {}

    def forget(self) -> None:
        """Clear what was recorded, for another run."""
        with self._changed:
            self._callbacks.clear()

    @property
    def started(self) -> set[str]:
        """The tasks that have called so far."""
        with self._changed:
            return set(self._callbacks)

    def callback_of(self, task: str) -> str:
        """Give the path at which a task waits."""
        with self._changed:
            return self._callbacks[task]

    def hear(self, task: str, callback: str) -> None:
        """Keep a call; a task that calls twice is answered at the newer address."""
        with self._changed:
            self._callbacks[task] = urlsplit(callback).path
            self._changed.notify_all()

    def missing(self, tasks: set[str], within_s: float) -> set[str]:
        """Wait until all of some tasks have called, and give those that have not in this time."""
        end_s = time.monotonic() + within_s
        with self._changed:
            while left := tasks - self._callbacks.keys():
                remaining_s = end_s - time.monotonic()
                if remaining_s <= 0:
                    return left
                self._changed.wait(remaining_s)
        return set()


class _Caller(BaseHTTPRequestHandler):
    site: CalledSite

    def do_POST(self) -> None:
        """Hear one task."""
        said: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.site.hear(said["task"], said["callback_url"])
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Keep the bench's output clean."""


@contextmanager
def called_site() -> Iterator[tuple[CalledSite, str]]:
    """Open a site on a free port of this machine; give it and its address."""
    site = CalledSite()
    handler = type("Caller", (_Caller,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="called-site").start()
    try:
        yield site, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
