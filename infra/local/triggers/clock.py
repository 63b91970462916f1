"""The laptop's time: it runs like the machine's, and a test can move it forward instead of waiting."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

_LONGEST_NAP_S = 3600.0

Action = Callable[[], object]


class Clock:
    """Call actions when their time has come, each in the clock's own thread: what takes long has to hand itself on."""

    def __init__(self) -> None:
        """Start at the machine's time."""
        self._offset_s = 0.0
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._acting = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="clock")
        self._thread.start()

    def now_s(self) -> float:
        """Give the seconds since 1970."""
        return time.time() + self._offset_s

    def now(self) -> datetime:
        """Give the moment."""
        return datetime.fromtimestamp(self.now_s(), UTC)

    def call_at(self, when_s: float, action: Action) -> None:
        """Remember an action for a moment; one that has passed is now."""
        with self._changed:
            heapq.heappush(self._due, (when_s, next(self._order), action))
            self._changed.notify_all()

    def call_later(self, pause_s: float, action: Action) -> None:
        """Remember an action for a while from now."""
        self.call_at(self.now_s() + pause_s, action)

    def advance(self, seconds: float) -> None:
        """Move the time, and return when whatever became due has been called, in the order of its time."""
        with self._changed:
            self._offset_s += seconds
            self._changed.notify_all()
            self._changed.wait_for(self._is_idle)

    def waiting(self) -> int:
        """Say how many actions are still to come."""
        with self._changed:
            return len(self._due)

    def close(self) -> None:
        """Stop; what is not yet due never happens."""
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
