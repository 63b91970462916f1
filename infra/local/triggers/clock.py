"""The laptop's clock, which a test can advance, and the threads for what happens later."""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import ParamSpec

_LONGEST_NAP_S = 3600.0
Action = Callable[[], object]


class Clock:
    """Calls actions at their times in a thread of its own, so that actions have to be short."""

    def __init__(self) -> None:
        """Start the thread at the machine's time."""
        self._offset_s = 0.0
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._acting = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="clock")
        self._thread.start()

    def now_s(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time() + self._offset_s

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.fromtimestamp(self.now_s(), UTC)

    def call_at(self, when_s: float, action: Action) -> None:
        """Call an action at a time, or at once if that has passed."""
        with self._changed:
            heapq.heappush(self._due, (when_s, next(self._order), action))
            self._changed.notify_all()

    def call_later(self, pause_s: float, action: Action) -> None:
        """Call an action after a pause."""
        self.call_at(self.now_s() + pause_s, action)

    def advance(self, seconds: float) -> None:
        """Advance the time, and return when all that became due has been called, in order of time."""
        with self._changed:
            self._offset_s += seconds
            self._changed.notify_all()
            self._changed.wait_for(self._is_idle)

    def waiting(self) -> int:
        """Return the number of actions that are not yet due."""
        with self._changed:
            return len(self._due)

    def close(self) -> None:
        """Stop the thread; actions that are not yet due are dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _is_idle(self) -> bool:
        return self._closed or not (self._acting or self._pause_s() <= 0)

    def _pause_s(self) -> float:
        return self._due[0][0] - self.now_s() if self._due else _LONGEST_NAP_S

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            finally:
                with self._changed:
                    self._acting = False
                    self._changed.notify_all()

    def _next(self) -> Action | None:
        with self._changed:
            while not self._closed:
                pause_s = self._pause_s()
                if pause_s <= 0:
                    self._acting = True
                    return heapq.heappop(self._due)[2]
                self._changed.wait(min(pause_s, _LONGEST_NAP_S))
        return None


_P = ParamSpec("_P")
_THREADS = 24


class Work:
    """Runs calls in threads; the error of one is printed, and the others go on."""

    def __init__(self, threads: int = _THREADS) -> None:
        """Start without threads."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="trigger")
        self.is_closed = False

    def submit(self, call: Callable[_P, object], *args: _P.args, **named: _P.kwargs) -> None:
        """Run a call in a thread soon, unless this is closed."""
        if not self.is_closed:
            self._pool.submit(self._run, partial(call, *args, **named))

    def close(self) -> None:
        """Begin nothing more; calls in progress end with the processes of their functions."""
        self.is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception:  # noqa: BLE001 - the border of a thread: an error here would otherwise vanish
            if not self.is_closed:
                traceback.print_exc(file=sys.stderr)
