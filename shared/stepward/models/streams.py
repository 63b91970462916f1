"""Reads streams that may stall, break off, or be abandoned.

Provider calls are asynchronous so that a wait can be ended at once: a cancelled task closes its connection, which is how
a provider learns that it may stop writing. One event loop a thread is kept, so that connections are used again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, Final, TypeVar

from stepward.ports.models import CallContext

T = TypeVar("T")

LOOK_EVERY_S: Final = 1.0
AFTER_THE_END_S: Final = 5.0
SPARE_S: Final = 10.0
"""The time that the function keeps to write what came."""
MOST_CLIENTS: Final = 8
"""How many clients a thread keeps; those of replaced keys are the first to be closed."""
CLOSING_S: Final = 2.0
"""How long a connection may take to close."""
_LOG: Final = logging.getLogger(__name__)
_OF_THREAD: Final = threading.local()
_END: Final = object()


class CallAbandoned(Exception):
    """The run was cancelled or taken over while its reply came."""


class StreamStalled(Exception):
    """Nothing came for too long, or the function's own time is short."""


class _Worker:
    """A thread's event loop, and the clients whose connections belong to it."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.clients: OrderedDict[object, Any] = OrderedDict()

    async def closing(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a call's work, and close clients beyond the limit."""
        try:
            return await work
        finally:
            await self.close_clients(MOST_CLIENTS)

    async def close_clients(self, most: int = 0) -> None:
        """Close the clients that were used longest ago, until `most` are left."""
        while len(self.clients) > most:
            _, client = self.clients.popitem(last=False)
            await _close(client)


async def _close(client: Any) -> None:
    """Close a client, and only log a failure.

    What a paid call has brought must not be lost to another client's connection.
    """
    task = asyncio.ensure_future(client.close())
    if not (await asyncio.wait({task}, timeout=CLOSING_S))[0]:
        task.cancel()
        await asyncio.wait({task}, timeout=CLOSING_S)
    if task.cancelled() or not task.done():
        _LOG.warning("a client's connections are not closed: no answer")
    elif error := task.exception():
        _LOG.warning("a client's connections are not closed: %s", type(error).__name__)


def _worker() -> _Worker:
    worker: _Worker | None = getattr(_OF_THREAD, "worker", None)
    if worker is None:
        worker = _OF_THREAD.worker = _Worker()
    return worker


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end on this thread's own event loop."""
    worker = _worker()
    return worker.runner.run(worker.closing(work))


def kept_client(name: object, make: Callable[[], T]) -> T:
    """Return this thread's client of a name, so that its connections are used again.

    Args:
        name: What tells it from others: its vendor, its key, its address.
        make: Makes it, the first time; what it makes has an asynchronous `close`.
    """
    clients = _worker().clients
    if name not in clients:
        clients[name] = make()
    clients.move_to_end(name)
    client: T = clients[name]
    return client


def close() -> None:
    """Close this thread's connections and its event loop; the next call opens new ones."""
    worker: _Worker | None = getattr(_OF_THREAD, "worker", None)
    if worker is not None:
        del _OF_THREAD.worker
        with worker.runner:
            worker.runner.run(worker.close_clients())


class Watch:
    """Waits for a call's events, and checks meanwhile that the call is still wanted.

    Args:
        call: Says how long a provider may be silent, how much time is left, and whether the call is over.
    """

    def __init__(self, call: CallContext) -> None:
        self._call = call
        self._heard_s = self._looked_s = monotonic()
        self._received: Callable[[], int] = lambda: 0
        self._bytes = 0
        self._silence_s = call.access.silence_s

    def count_bytes(self, received: Callable[[], int]) -> None:
        """Count bytes that are no events, such as a vendor's pings, as signs of life."""
        self._received = received

    def hurry(self) -> None:
        """Shorten the wait for what comes after a reply's end, such as a count."""
        self._silence_s = min(self._silence_s, AFTER_THE_END_S)

    async def events(self, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """Yield a stream's events one by one.

        Raises:
            CallAbandoned: The run has gone on without this reply.
            StreamStalled: The stream stalled, or the function has no more time.
        """
        iterator = aiter(stream)
        while True:
            event: Any = await self.wait(anext(iterator, _END))
            if event is _END:
                return
            yield event

    async def wait(self, awaited: Awaitable[T]) -> T:
        """Wait for one result, with the same checks."""
        task = asyncio.ensure_future(awaited)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_EVERY_S))[0]:
                self._look()
                self._hear()
            if monotonic() - self._looked_s >= LOOK_EVERY_S:
                self._look()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        self._heard_s = monotonic()
        return task.result()

    def _look(self) -> None:
        self._looked_s = monotonic()
        if self._call.is_over():
            raise CallAbandoned
        if self._call.time_left_s() < SPARE_S:
            raise StreamStalled("the function's time is over.")

    def _hear(self) -> None:
        received = self._received()
        if received != self._bytes:
            self._bytes, self._heard_s = received, monotonic()
        silent_s = monotonic() - self._heard_s
        if silent_s > self._silence_s:
            raise StreamStalled(f"nothing came for {silent_s:.0f} s.")
