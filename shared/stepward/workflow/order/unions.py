"""Groups that grow together, for whoever asks later which group something has ended up in."""

from __future__ import annotations


class Unions:
    """Union-find over small numbers; the lowest member names the group, so the answer never depends on the order."""

    def __init__(self, count: int) -> None:
        self._up = list(range(count))

    def of(self, member: int) -> int:
        """Name the group of a member."""
        while self._up[member] != member:
            self._up[member] = self._up[self._up[member]]
            member = self._up[member]
        return member

    def join(self, one: int, other: int) -> int:
        """Make one group of two."""
        low, high = sorted((self.of(one), self.of(other)))
        self._up[high] = low
        return low
