"""The run queue: runs that wait for a slot, by tenant, and the wake-ups for who serves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.run_queue import RANK_NAMES, QueuedRun, rank_of, since_of


@dataclass(frozen=True)
class SlotCount:
    """How many runs hold a slot, and how many wait for an answer without one."""

    active: int
    parked: int


@dataclass(frozen=True)
class QueueView:
    """A queue in numbers: runs by priority, and since when the oldest waits."""

    lengths: dict[str, int]
    oldest_since: str | None


def look_at(places: Sequence[str]) -> QueueView:
    """Sum up a line by the names of its places."""
    found = Counter(map(rank_of, places))
    oldest = min(map(since_of, places), default=None)
    return QueueView({name: found[name] for name in RANK_NAMES.values()}, oldest)


class RunQueue(Protocol):
    """The runs in line and the counters of slots; reads are strongly consistent."""

    def first(self, tenant: str, limit: int) -> list[QueuedRun]:
        """Read the runs that are served next, in order."""

    def leave(self, waiting: QueuedRun) -> None:
        """Take a run out of the queue that needs no slot any more, if its entry is unchanged.

        time →   dispatch A: reads seq 9        dispatch B: admits        run: parks ─ joins at the same place, seq 14
                 A: journal: it has ended, or stands elsewhere ─ leave with seq 9 ✗ → the newer one stays

        Args:
            waiting: What `first` gave, unchanged: its `seq` tells one stay at a place from the next one there.
        """

    def flag(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Ask that a freed slot of the tenant is reported; with `account`, of any tenant."""

    def unflag(self, tenant: str, limits: TenantLimits) -> None:
        """Clear the tenant's flag once its queue is empty; the caller reads the queue again."""

    def unflag_account(self, account: AccountLimits) -> None:
        """Clear the account's flag; the caller looks for waiting tenants again."""

    def waiting_tenants(self, limit: int, after: str = "") -> list[str]:
        """List tenants with a queue, those after `after` first; may lag behind."""

    def look(self, tenant: str) -> QueueView:
        """Look at a tenant's whole line, without reading more of it than the places."""

    def count(self, tenant: str | None) -> SlotCount:
        """Count slots held and runs waiting without, of a tenant; of all, slots only."""


class WakeUps(Protocol):
    """Messages that a tenant's line wants to be looked at; one too many does nothing."""

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Ask `dispatch` to serve a tenant's queue; `freed` is how many slots, None if unknown."""
