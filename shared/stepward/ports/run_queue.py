"""The run queue: runs that wait for a slot, by tenant, and the wake-ups that serve it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.run_queue import RANK_NAMES, QueuedRun, rank_of, since_of


@dataclass(frozen=True)
class SlotLimits:
    """How many runs may be active: of a tenant, and of all tenants."""

    tenant: TenantLimits
    account: AccountLimits


@dataclass(frozen=True)
class NoSlot:
    """No slot is free; `asked` says that a wake-up is requested for the next freed one."""

    asked: bool


@dataclass(frozen=True)
class Freed:
    """The outcome of returning a slot: whether runs of the tenant or of others wait for one."""

    done: bool
    tenant_waits: bool = False
    account_waits: bool = False


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


def view_of(positions: Sequence[str]) -> QueueView:
    """Summarize a queue by the positions of its runs."""
    found = Counter(map(rank_of, positions))
    oldest = min(map(since_of, positions), default=None)
    return QueueView({name: found[name] for name in RANK_NAMES.values()}, oldest)


class RunQueue(Protocol):
    """The queued runs and the counters of slots; reads are strongly consistent."""

    def first(self, tenant: str, limit: int) -> list[QueuedRun]:
        """Read the runs that are served next.

        Args:
            tenant: Whose queue.
            limit: How many runs at most.

        Returns:
            The runs in the order in which they are served.
        """

    def leave(self, waiting: QueuedRun) -> None:
        """Remove a run that needs no slot any more from the queue, if its entry is unchanged.

        time →   dispatch A: reads seq 9        dispatch B: admits        run: parks ─ joins at the same place, seq 14
                 A: journal: it has ended, or is queued elsewhere ─ leave with seq 9 ✗ → the newer one stays

        Args:
            waiting: What `first` returned, unchanged: its `seq` distinguishes one stay at a place from the
                next.
        """

    def request_wake_up(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Request a wake-up for the next freed slot of the tenant; with `account`, of any tenant.

        Args:
            tenant: Whose queue.
            limits: The tenant's limits.
            account: The account's limits; None where only the tenant's own slots are lacking.
        """

    def clear_wake_up(self, tenant: str, limits: TenantLimits) -> None:
        """Clear the tenant's flag once its queue is empty; the caller reads the queue again.

        Args:
            tenant: Whose queue.
            limits: The tenant's limits.
        """

    def clear_account_wake_up(self, account: AccountLimits) -> None:
        """Clear the account's flag; the caller lists waiting tenants again.

        Args:
            account: The account's limits.
        """

    def waiting_tenants(self, limit: int, after: str = "") -> list[str]:
        """List tenants with a queue; the list may lag behind.

        Args:
            limit: How many at most.
            after: The tenant after which to begin, by default the first; the list wraps around.

        Returns:
            The tenants.
        """

    def view(self, tenant: str) -> QueueView:
        """Count a tenant's queued runs by priority; only their positions are read.

        Args:
            tenant: Whose queue.

        Returns:
            The counts, and since when the oldest waits.
        """

    def count(self, tenant: str | None) -> SlotCount:
        """Count the slots held, and the runs that wait for an answer without one.

        Args:
            tenant: Whose; None for all tenants, of which only slots are counted.

        Returns:
            The counts.
        """


class WakeUps(Protocol):
    """Messages that ask for a tenant's queue to be served; an extra one does nothing."""

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Ask `dispatch` to serve a tenant's queue.

        Args:
            tenant: Whose queue.
            freed: How many slots were freed; None if unknown.
        """
