"""Facts about the platform that others may want to act on."""

from __future__ import annotations

from typing import Any, Protocol


class Events(Protocol):
    """Where facts are told; delivery is at least once, and the detail's `id` tells repeats."""

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Tell one fact, such as `system.budget.alert`."""
