"""Poll the API: at short pauses while something changes, at longer ones while nothing does."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from stepward.sdk.errors import StillRunning

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 2.0
GROWTH: Final = 1.5
"""How many times longer each pause is than the one before, while nothing changes."""
_NOTHING_SEEN: Final = object()


class Poll:
    """The pauses of one wait, up to its time-out.

    Args:
        sleep: Waits for some seconds.
        monotonic: Returns the time in seconds.
        timeout_s: Seconds to wait in all. Default: without end.
    """

    def __init__(
        self, sleep: Callable[[float], None], monotonic: Callable[[], float], timeout_s: float = math.inf
    ) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._timeout_s = timeout_s
        self._give_up_at = monotonic() + timeout_s
        self._pause_s = FIRST_PAUSE_S
        self._seen: object = _NOTHING_SEEN

    @property
    def left_s(self) -> float:
        """The seconds until the time-out; negative after it."""
        return self._give_up_at - self._monotonic()

    def pause(self, seen: object) -> None:
        """Sleep before the next read, no longer than the time that is left.

        Args:
            seen: The state that was read; one that differs from the last resets the pause.
        """
        has_changed = seen != self._seen
        self._pause_s = FIRST_PAUSE_S if has_changed else min(self._pause_s * GROWTH, LONGEST_PAUSE_S)
        self._seen = seen
        self._sleep(max(0.0, min(self._pause_s, self.left_s)))

    def pause_for(self, run: Mapping[str, Any], seen: object) -> None:
        """Sleep before the next read of a run.

        Args:
            run: The run as it was read.
            seen: As for `pause`.

        Raises:
            StillRunning: The time is over.
        """
        if self.left_s <= 0:
            detail = f"{run['id']} is {run['status']} after {self._timeout_s:g} s."
            raise StillRunning(detail, "Wait again, or cancel it.")
        self.pause(seen)
