"""A cache whose values expire: a hint that saves a call, within one process."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

MOST_ENTRIES: Final = 1_000
V = TypeVar("V")


class TtlCache(Generic[V]):
    """Values by name with an expiry; it is cleared as a whole rather than growing unbounded.

    Args:
        ttl_s: How long a value is kept, in seconds.
        now_s: The clock, in seconds from any moment; a test passes a fixed one.
    """

    def __init__(self, ttl_s: float, now_s: Callable[[], float] = monotonic) -> None:
        self._ttl_s = ttl_s
        self._now_s = now_s
        self._entries: dict[str, tuple[float, V]] = {}

    def get(self, name: str) -> V | None:
        """Return the value of a name; None where there is none, or where it has expired."""
        expires_s, value = self._entries.get(name, (0.0, None))
        return value if self._now_s() < expires_s else None

    def put(self, name: str, value: V) -> None:
        """Store a value from now on."""
        if name not in self._entries and len(self._entries) >= MOST_ENTRIES:
            self._entries.clear()
        self._entries[name] = (self._now_s() + self._ttl_s, value)

    def read(
        self,
        name: str,
        source: Callable[[], V],
        *,
        keep_if: Callable[[V], bool] = lambda _: True,
        use_if: Callable[[V], bool] = lambda _: True,
    ) -> V:
        """Return a name's value, from the source where none is cached.

        Args:
            name: The value's name.
            source: Reads a fresh value.
            keep_if: Which fresh values are cached.
            use_if: Which cached values are still valid; others are read again.
        """
        kept = self.get(name)
        if kept is not None and use_if(kept):
            return kept
        fresh = source()
        if keep_if(fresh):
            self.put(name, fresh)
        return fresh

    def forget(self, name: str) -> None:
        """Remove a name's value."""
        self._entries.pop(name, None)
