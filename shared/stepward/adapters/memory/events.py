"""Facts in a list."""

from __future__ import annotations

from typing import Any


class MemoryEvents:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[str, Any]]] = []

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Keep one fact."""
        self.told.append((source, type_, detail))
