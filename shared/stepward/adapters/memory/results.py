"""Large results in a dictionary."""

from __future__ import annotations

from stepward.domain.errors import NotFound


class MemoryResults:
    """Results by tenant, run and call."""

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
