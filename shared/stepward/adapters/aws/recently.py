"""What a process has seen a moment ago: a hint that saves a call, and that is never relied upon."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

KEPT_S: Final = 2.0
MOST: Final = 1_000
V = TypeVar("V")


class Recently(Generic[V]):
    """Values by tenant, forgotten after two seconds."""

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._seen: dict[str, tuple[float, V]] = {}

    def keep(self, tenant: str, value: V) -> None:
        """Remember."""
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[tenant] = (self._now_s() + KEPT_S, value)

    def of(self, tenant: str) -> V | None:
        """Recall what was seen, if that was not long ago."""
        until_s, value = self._seen.get(tenant, (0.0, None))
        return value if self._now_s() < until_s else None
