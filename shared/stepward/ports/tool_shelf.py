"""The shelf of published tools: what each folder of your own functions offered at the last deployment."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.published_tools import ToolRoom


class ToolShelf(Protocol):
    """One entry a folder, for all tenants of the stage."""

    def put(self, room: ToolRoom) -> None:
        """Replace what a folder offers."""

    def room(self, room: str) -> ToolRoom | None:
        """Read one folder's entry."""

    def rooms(self) -> list[ToolRoom]:
        """Read all entries, by name."""
