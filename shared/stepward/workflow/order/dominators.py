"""The last module that every way to a module goes through: its scope, where it can start without an await of its own."""

from __future__ import annotations

from collections.abc import Iterable

ROOT = -1


class Dominators:
    """The tree of scopes under a root of its own; ancestors are found by jumps, for a scope may lie thousands deep."""

    def __init__(self) -> None:
        self._depth = {ROOT: 0}
        self._scope = {ROOT: ROOT}
        self._jump = {ROOT: ROOT}

    def add(self, key: int, needs: Iterable[int]) -> int:
        """Put a module under the last scope that all of its needs share; the needs must have been added before."""
        scope: int | None = None
        for need in needs:
            scope = need if scope is None else self._meeting(scope, need)
        scope = ROOT if scope is None else scope
        self._scope[key] = scope
        self._depth[key] = self._depth[scope] + 1
        far = self._jump[scope]
        even = self._depth[scope] - self._depth[far] == self._depth[far] - self._depth[self._jump[far]]
        self._jump[key] = self._jump[far] if even else scope
        return scope

    def child_towards(self, scope: int, key: int) -> int:
        """Name the module directly in a scope that a module deep in it belongs to."""
        return self._rise(key, self._depth[scope] + 1)

    def _rise(self, key: int, depth: int) -> int:
        while self._depth[key] > depth:
            far = self._jump[key]
            key = far if self._depth[far] >= depth else self._scope[key]
        return key

    def _meeting(self, one: int, other: int) -> int:
        depth = min(self._depth[one], self._depth[other])
        one, other = self._rise(one, depth), self._rise(other, depth)
        while one != other:
            if self._jump[one] == self._jump[other]:
                one, other = self._scope[one], self._scope[other]
            else:
                one, other = self._jump[one], self._jump[other]
        return one
