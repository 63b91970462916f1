"""The sandboxes of one function: idle ones are reused, new ones started up to a cap."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from infra.local.executor.faults import Throttled
from infra.local.executor.worker import Worker


class Retired(Exception):
    """The pool's code or settings were replaced, and there is a newer pool."""


class Pool:
    """Workers of one function; the cap is the reserved concurrency or the laptop's own."""

    def __init__(self, name: str, cap: int, start: Callable[[], Worker]) -> None:
        """Start without workers: a function that is never called costs no process."""
        self._name = name
        self._cap = cap
        self._start = start
        self._idle: deque[Worker] = deque()
        self._workers: set[Worker] = set()
        self._places_taken = 0
        self._closed = False
        self._retired = False
        self._changed = threading.Condition()

    def acquire(self, wait_s: float) -> tuple[Worker, bool]:
        """Return an idle or a new worker, and whether it is new.

        After `wait_s` at the cap it raises Throttled, as Lambda would at once.
        """
        deadline_s = time.monotonic() + wait_s
        with self._changed:
            while True:
                if self._closed:
                    raise Throttled(f"{self._name}: the laptop is shutting down")
                if self._retired:
                    raise Retired
                if (worker := self._take_idle()) is not None:
                    return worker, False
                if self._places_taken < self._cap:
                    self._places_taken += 1
                    break
                if not self._changed.wait(max(0.0, deadline_s - time.monotonic())):
                    raise Throttled(self._name)
        return self._start_one(), True

    def release(self, worker: Worker, *, healthy: bool) -> None:
        """Return a worker to the pool, or end it if it is not healthy."""
        with self._changed:
            if healthy and worker.alive and not (self._closed or self._retired):
                self._idle.append(worker)
            else:
                self._forget(worker)
                healthy = False
            self._changed.notify()
        if not healthy:
            worker.kill()

    def retire(self) -> None:
        """End the idle workers now and each busy one after its call; waiters get Retired."""
        with self._changed:
            self._retired = True
            idle = list(self._idle)
            self._idle.clear()
            for worker in idle:
                self._forget(worker)
            self._changed.notify_all()
        for worker in idle:
            worker.kill()

    def close(self) -> None:
        """End every worker, busy or not."""
        with self._changed:
            self._closed = True
            workers = list(self._workers)
            self._changed.notify_all()
        for worker in workers:
            worker.kill()

    def _take_idle(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._forget(worker)
            worker.kill()
        return None

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._places_taken -= 1

    def _start_one(self) -> Worker:
        try:
            worker = self._start()
        except BaseException:
            with self._changed:
                self._places_taken -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._workers.add(worker)
            closed = self._closed
        if closed:
            worker.kill()
        return worker
