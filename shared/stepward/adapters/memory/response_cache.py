"""The response cache in memory."""

from __future__ import annotations

from stepward.ports.responses import KeptReply, ResponseKey


class MemoryResponseCache:
    """Keeps replies in a dictionary, and counts what is asked of it; nothing is ever removed."""

    def __init__(self) -> None:
        self._kept: dict[ResponseKey, KeptReply] = {}
        self.reads = 0
        self.writes = 0

    def find(self, key: ResponseKey) -> KeptReply | None:
        """Read a reply."""
        self.reads += 1
        return self._kept.get(key)

    def keep(self, key: ResponseKey, kept: KeptReply) -> None:
        """Keep a reply."""
        self.writes += 1
        self._kept[key] = kept
