"""botocore's connections, which another thread can shut down and whose error bodies are cut.

botocore reads with a blocking call, and closing what another thread reads waits for that thread. A socket that is shut
down ends the read at once and tells the other side so.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool

MOST_ERROR_BYTES: Final = 256_000
_LEAST_REFUSAL: Final = 300


class CallConnection:
    """The connection of one call; `shut_down` ends whatever connection the call uses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_shut = False

    def acquire(self, taken: socket.socket) -> None:
        """Take a socket for the call.

        Raises:
            ConnectionAbortedError: The call was given up before it had one.
        """
        with self._lock:
            self._socket = taken
            if self._is_shut:
                raise ConnectionAbortedError("the call was given up.")

    def release(self) -> None:
        """Release the socket of a call that has read everything, for the next call."""
        with self._lock:
            self._socket = None

    def shut_down(self) -> None:
        """End the call from any thread; one that is over already is left alone."""
        with self._lock:
            self._is_shut = True
            if self._socket is None:
                return
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the other side was faster


CURRENT_CONNECTION: Final[ContextVar[CallConnection]] = ContextVar("current_connection")
"""The connection of the call that this thread makes."""


def track_connections(client: Any) -> None:
    """Track the connection of each call of a client, and cut the bodies of errors.

    It is `CURRENT_CONNECTION` of the thread that makes the call.

    Args:
        client: A boto3 client that has made no call yet.
    """
    session = client._endpoint.http_session  # noqa: SLF001  botocore has no way to bring a session of one's own
    pools: dict[str, Any] = session._pool_classes_by_scheme  # noqa: SLF001
    pools.update(http=_tracked(AWSHTTPConnectionPool), https=_tracked(AWSHTTPSConnectionPool))


def _tracked(pool: Any) -> Any:
    kind: Any = pool.ConnectionCls

    class TrackedConnection(kind):  # type: ignore[misc]  # botocore has no types
        """A connection that registers its socket with its call."""

        def connect(self) -> None:
            """Open a new connection for this call."""
            super().connect()
            CURRENT_CONNECTION.get().acquire(self.sock)

        def request(self, *args: Any, **named: Any) -> Any:
            """Send on a new connection, or on one that was kept open."""
            if self.sock is not None:
                CURRENT_CONNECTION.get().acquire(self.sock)
            return super().request(*args, **named)

    class BoundedPool(pool):  # type: ignore[misc]
        """A connection pool that cuts error bodies."""

        ConnectionCls = TrackedConnection

        def urlopen(self, *args: Any, **named: Any) -> Any:
            """Send a request, and cut an error's body: botocore reads one whole."""
            response = super().urlopen(*args, **named)
            if response.status >= _LEAST_REFUSAL:
                response.stream = _beginning(response.stream)
            return response

    return BoundedPool


def _beginning(stream: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def begin(*args: Any, **named: Any) -> Iterator[bytes]:
        came = 0
        for chunk in stream(*args, **named):
            yield chunk
            came += len(chunk)
            if came > MOST_ERROR_BYTES:
                return

    return begin
