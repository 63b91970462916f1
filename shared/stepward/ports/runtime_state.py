"""Heads of runs: the one mutable record of each, the lists over them, and the start that makes them."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from stepward.domain.errors import Conflict
from stepward.domain.journal import Created, Turn
from stepward.domain.runs import Closing, RunHead, RunKey, Totals


class IdempotencyKey(BaseModel):
    """A caller's word that two requests are one; `body_sha256` tells if the caller was wrong."""

    principal: str
    key: str
    body_sha256: str
    expires_at: int


def key_used_before() -> Conflict:
    """The error for a key that came with another request, the same from every table."""
    return Conflict(
        "this Idempotency-Key was used with another request.",
        field="Idempotency-Key",
        fix="use a new key for a new request",
    )


class RunPage(BaseModel):
    """One page of a list, newest first; `cursor` is None on the last one."""

    runs: list[RunHead]
    cursor: str | None = None


class RuntimeState(Protocol):
    """The runtime table."""

    def start(self, head: RunHead, first: Created, idempotency: IdempotencyKey | None) -> RunHead:
        """Create head, first record and idempotency record in one transaction.

        Returns the new head, or that of the run which the same key started before.
        Raises `Conflict` when the key was used with another body.
        """

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head, strongly consistent."""

    def close(self, key: RunKey, closing: Closing) -> bool:
        """Write the end into the head if it has none; False if it had."""

    def book_late(self, key: RunKey, seq: int, turn: Turn, totals: Totals) -> None:
        """Append a late reply to an ended run's journal and count it in the head, in one transaction.

        Raises `StoreConflict` when the place is taken or the head has no end yet.
        """

    def list_runs(
        self, tenant: str, *, day: str | None, agent: str | None, limit: int, cursor: str | None
    ) -> RunPage:
        """List runs, newest first: of an agent, of a day, or of the last days."""

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs by status."""

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs of all tenants that have not ended and were created before a time: the janitor's list.

        The list may lag behind the heads by moments; whoever acts on it looks at the run itself first.
        """
