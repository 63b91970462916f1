"""Caches of the newest entries, within one process, that count how often they had what was asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class NewestCache(Generic[K, V]):
    """Values by key, of which those that were asked for longest ago are forgotten first.

    Args:
        most: How many values are kept.
        most_chars: How many characters they may have together.
        chars_of: How many characters a key and its value have.
    """

    def __init__(self, most: int, most_chars: int, chars_of: Callable[[K, V], int]) -> None:
        self._most = most
        self._most_chars = most_chars
        self._chars_of = chars_of
        self._chars = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    @property
    def hit_rate(self) -> float:
        """How many of the calls so far were hits, from 0 to 1; 0 before the first."""
        calls = self.hits + self.misses
        return self.hits / calls if calls else 0.0

    def get(self, key: K, make: Callable[[], V]) -> tuple[V, bool]:
        """Return the value of a key and whether it was there; what was not is made and kept.

        An error of `make` is not kept: the next call makes the value again.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                self.hits += 1
                return self._values[key], True
            self.misses += 1
        value = make()
        with self._lock:
            self._keep(key, value)
        return value, False

    def _keep(self, key: K, value: V) -> None:
        if key in self._values:
            return
        self._values[key] = value
        self._chars += self._chars_of(key, value)
        while self._values and (len(self._values) > self._most or self._chars > self._most_chars):
            oldest, gone = self._values.popitem(last=False)
            self._chars -= self._chars_of(oldest, gone)
