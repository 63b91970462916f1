"""One event source mapping at work: a thread that sleeps until a bell says that there may be something to do."""

from __future__ import annotations

import sys
import threading
import traceback
from abc import ABC, abstractmethod
from typing import Any

from moto.awslambda.models import lambda_backends

from infra.local import account
from infra.local.executor import Executor, InvocationResult, Throttled
from infra.local.triggers.clock import Clock
from infra.local.triggers.work import Work


class Poller(ABC):
    """Looks whenever the bell rings: after a write, at the end of a batch, at a moment of the clock, at a change."""

    def __init__(self, mapping: Any, executor: Executor, clock: Clock, concurrency: int) -> None:
        """Take the mapping as moto keeps it."""
        self.mapping = mapping
        self.clock = clock
        self._executor = executor
        self._function = account.function_name(mapping.function_arn)
        self._concurrency = concurrency
        self._work = Work(concurrency)
        self._bell = threading.Event()
        self._under_way = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"poller-{self._function}")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ring(self) -> None:
        """There may be something to do."""
        self._bell.set()

    def wake_at(self, when_s: float) -> None:
        """There may be something to do at that moment."""
        self.clock.call_at(when_s, self.ring)

    def close(self) -> None:
        """Take nothing more; what is under way ends by itself."""
        self._closed = True
        self.ring()
        self._work.close()
        self._thread.join()

    @property
    def is_enabled(self) -> bool:
        """Whether the mapping still exists and is switched on."""
        mappings = lambda_backends[account.ACCOUNT_ID][account.REGION]._event_source_mappings  # noqa: SLF001
        return mappings.get(self.mapping.uuid) is self.mapping and bool(self.mapping.enabled)

    @property
    def has_capacity(self) -> bool:
        """Whether one batch more may be under way."""
        return self._under_way < self._concurrency

    @abstractmethod
    def take(self) -> bool:
        """Take what there is and begin with it; False when there is nothing to do until the bell rings."""

    def begin(self, *arguments: Any) -> None:
        """Let `carry` do its work in a thread of its own; the bell rings when it is done."""
        with self._lock:
            self._under_way += 1
        self._work.submit(self._carry, *arguments)

    @abstractmethod
    def carry(self, *arguments: Any) -> None:
        """Carry one batch to the function."""

    def invoke(self, payload: bytes) -> InvocationResult | None:
        """Call the function; None when it is throttled."""
        try:
            return self._executor.invoke(self._function, payload)
        except Throttled:
            return None

    def _carry(self, *arguments: Any) -> None:
        try:
            if not self._closed:
                self.carry(*arguments)
        finally:
            with self._lock:
                self._under_way -= 1
            self.ring()

    def _run(self) -> None:
        while not self._closed:
            self._bell.clear()
            if not self._looks():
                self._bell.wait()

    def _looks(self) -> bool:
        try:
            return self.is_enabled and self.has_capacity and self.take()
        except Exception:  # noqa: BLE001 - the border of a thread: its end would leave the source unread for ever
            if not self._closed:
                traceback.print_exc(file=sys.stderr)
            return False
