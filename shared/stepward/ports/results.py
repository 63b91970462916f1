"""Where tool results are kept that are too large for a model to be shown as a whole."""

from __future__ import annotations

from typing import Protocol


class ResultStore(Protocol):
    """The tenants' part of the bucket for large results; what is kept under a call never changes."""

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Keep a result's JSON; the same call kept twice is one result."""

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read it back whole. Raises `NotFound` when there is none."""
