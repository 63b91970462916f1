"""Run invocations that stop before every call of a port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.runs import RunKey
from stepward.testing.schedules.faults import NO_FAULT, InjectedFault

STUCK_S: Final = 120.0
"""More than any step takes on a busy machine; an invocation that takes longer goes round in circles."""
_here = threading.local()


@dataclass(frozen=True)
class PortCall:
    """A call that an actor is about to make."""

    port: str
    method: str
    is_write: bool
    key: RunKey | None = None


class Actor:
    """One invocation: a thread that runs only while the scheduler resumes it."""

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self.name = name
        self.ahead: PortCall | None = None
        self.answer: Any = None
        self.error: BaseException | None = None
        self.is_over = False
        self._work = work
        # Plain locks, handed to and fro: a schedule stops some two hundred times, and a semaphore takes ten times as long.
        self._go = _held_lock()
        self._stopped = _held_lock()
        self._fault = NO_FAULT
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    def begin(self) -> None:
        """Run up to the first call of a port."""
        self._thread.start()
        self._until_it_stops()

    def step(self, fault: InjectedFault) -> None:
        """Make the pending call with a fault, and run up to the next one."""
        self._fault = fault
        self._go.release()
        self._until_it_stops()

    def die(self) -> None:
        """End the invocation without another call."""
        while not self.is_over:
            self.step(InjectedFault.DIES_BEFORE)

    def stop_before(self, call: PortCall) -> InjectedFault:
        """Stop before a call, in the actor's thread, until the scheduler resumes it."""
        self.ahead = call
        self._stopped.release()
        self._go.acquire()
        return self._fault

    def _until_it_stops(self) -> None:
        if not self._stopped.acquire(timeout=STUCK_S):
            self.is_over = True
            raise AssertionError(f"{self.name} does not come to its next call, nor to its end")

    def _run(self) -> None:
        _here.actor = self
        try:
            self.answer = self._work()
        except BaseException as error:  # noqa: BLE001  whatever ends an invocation is what its caller gets to see
            self.error = error
        self.is_over = True
        self.ahead = None
        self._stopped.release()


def _held_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def acting() -> Actor | None:
    """Return the actor of this thread.

    It is None on the scheduler's own thread, and on helper threads that an actor started.
    """
    return getattr(_here, "actor", None)
