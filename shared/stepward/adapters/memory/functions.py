"""Functions, published tools and large results in dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepward.domain.errors import NotFound, ToolFailed
from stepward.domain.tools import ToolFolder

Served = Callable[[dict[str, Any]], Any]


class MemoryFunctions:
    """Python functions as tools; `called` keeps the custom context of foreign calls."""

    def __init__(
        self, own: dict[str, Served] | None = None, foreign: dict[str, Served] | None = None
    ) -> None:
        self._own = own or {}
        self._foreign = foreign or {}
        self.called: list[dict[str, str]] = []

    def own(self, folder: str, payload: dict[str, Any]) -> Any:
        """Call a folder's function."""
        if folder not in self._own:
            raise ToolFailed(f"the folder {folder} is not deployed any more.")
        return self._own[folder](payload)

    def foreign(self, name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
        """Call another function."""
        if name not in self._foreign:
            raise ToolFailed(f"the function {name} does not carry the tag stepward:tool.")
        self.called.append(custom)
        return self._foreign[name](payload)


class MemoryPublishedTools:
    """Keeps published tools."""

    def __init__(self) -> None:
        self._folders: dict[str, ToolFolder] = {}

    def put(self, folder: ToolFolder) -> None:
        """Replace an entry."""
        self._folders[folder.room] = folder

    def folder(self, folder: str) -> ToolFolder | None:
        """Read one entry."""
        return self._folders.get(folder)

    def folders(self) -> list[ToolFolder]:
        """Read all entries."""
        return [self._folders[name] for name in sorted(self._folders)]


class MemoryResults:
    """Keeps results by tenant, run and call."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], bytes] = {}

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Keep a result."""
        self._kept[tenant, run, call] = body

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read a result."""
        try:
            return self._kept[tenant, run, call]
        except KeyError:
            raise NotFound(f"there is no result of {call}.", field="reference") from None
