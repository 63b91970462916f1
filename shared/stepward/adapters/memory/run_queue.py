"""Slots and the run queue in dictionaries, counted as the table counts them."""

from __future__ import annotations

from collections import Counter
from threading import RLock

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.run_queue import QueuedRun, Slot, shard_limit
from stepward.domain.runs import RunKey
from stepward.ports.run_queue import Freed, QueueView, SlotCount, SlotLimits, view_of


class MemoryRunQueue:
    """Keeps slots, queue places and requests of wake-ups."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.slots: dict[RunKey, Slot] = {}
        self.positions: dict[tuple[str, str], QueuedRun] = {}
        self.parked: Counter[str] = Counter()
        self.most_active: Counter[str] = Counter()
        self._flags: set[tuple[str | None, int]] = set()
        self._tenants: dict[str, None] = {}

    def first(self, tenant: str, limit: int) -> list[QueuedRun]:
        """Read the first runs of a tenant's queue."""
        with self.lock:
            mine = sorted(position for owner, position in self.positions if owner == tenant)
            return [self.positions[tenant, position] for position in mine[:limit]]

    def leave(self, waiting: QueuedRun) -> None:
        """Remove a run from the queue, unless it has left and joined again since it was read."""
        with self.lock:
            found = self.positions.get((waiting.tenant, waiting.position))
            if found is not None and found.seq == waiting.seq:
                self.vacate(waiting.tenant, waiting.position)

    def request_wake_up(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Request a wake-up when a slot is freed."""
        with self.lock:
            self._tenants[tenant] = None
            self._flags |= {(tenant, shard) for shard in range(limits.shards)}
            if account:
                self._flags |= {(None, shard) for shard in range(account.shards)}

    def clear_wake_up(self, tenant: str, limits: TenantLimits) -> None:
        """Clear the tenant's request."""
        with self.lock:
            self._tenants.pop(tenant, None)
            self._flags -= {(tenant, shard) for shard in range(limits.shards)}

    def clear_account_wake_up(self, account: AccountLimits) -> None:
        """Clear the account's request."""
        with self.lock:
            self._flags -= {(None, shard) for shard in range(account.shards)}

    def waiting_tenants(self, limit: int, after: str = "") -> list[str]:
        """List the tenants with a queue."""
        return sorted(self._tenants, key=lambda tenant: (tenant <= after, tenant))[:limit]

    def view(self, tenant: str) -> QueueView:
        """Read the places of a queue."""
        return view_of([position for owner, position in self.positions if owner == tenant])

    def count(self, tenant: str | None) -> SlotCount:
        """Count held slots and waiting runs."""
        mine = (slot for key, slot in self.slots.items() if tenant in (None, key.tenant))
        active = sum(tenant is not None or slot.account_shard is not None for slot in mine)
        return SlotCount(active, self.parked[tenant or ""])

    # ── for the runtime state, under the lock ───────────────────────────────────────────────────────────────────

    def full(
        self, tenant: str, slot: Slot, limits: SlotLimits, *, past_others: bool
    ) -> list[tuple[str | None, int]]:
        """Return the counters that have no slot left, or whose slots go to queued runs first."""
        counters = (
            (tenant, slot.tenant_shard, limits.tenant.active, limits.tenant.shards),
            (None, slot.account_shard or 0, limits.account.active, limits.account.shards),
        )
        return [
            (owner, shard)
            for owner, shard, total, shards in counters
            if self._count(owner, shard) >= shard_limit(total, shards, shard)
            or (not past_others and (owner, shard) in self._flags)
        ]

    def take(self, key: RunKey, slot: Slot) -> None:
        """Give a run a slot."""
        self.slots[key] = slot
        for owner in (key.tenant, ""):
            now = sum(owner in ("", held.tenant) for held in self.slots)
            self.most_active[owner] = max(self.most_active[owner], now)

    def ask(self, counters: list[tuple[str | None, int]]) -> bool:
        """Flag counters; return whether only the tenant's were full and a wake-up was requested."""
        asked = self.asked(counters)
        self._flags |= set(counters)
        return asked

    def asked(self, counters: list[tuple[str | None, int]]) -> bool:
        """Return whether only the tenant's counters are full, and a wake-up is requested of them."""
        return all(owner is not None and (owner, shard) in self._flags for owner, shard in counters)

    def join(self, waiting: QueuedRun) -> None:
        """Add a run to the queue."""
        self.positions[waiting.tenant, waiting.position] = waiting

    def vacate(self, tenant: str, position: str | None) -> None:
        """Remove a place from the queue; the journal has checked that it is this run's."""
        if position:
            self.positions.pop((tenant, position), None)

    def give_back(self, key: RunKey, slot: Slot | None) -> Freed:
        """Return a slot, and whose wake-ups were requested."""
        if slot is None:
            return Freed(done=True)
        if self.slots.pop(key, None) != slot:
            raise AssertionError(f"{key.run} gives back a slot that it does not hold")
        return Freed(
            done=True,
            tenant_waits=(key.tenant, slot.tenant_shard) in self._flags,
            account_waits=(None, slot.account_shard) in self._flags,
        )

    def past_limit(self, key: RunKey, slot: Slot) -> Slot:
        """Take a slot of the tenant's alone, over the limit or not."""
        held = slot.model_copy(update={"account_shard": None})
        self.take(key, held)
        return held

    def _count(self, owner: str | None, shard: int) -> int:
        return sum(
            (slot.tenant_shard if owner else slot.account_shard) == shard
            for key, slot in self.slots.items()
            if owner in (None, key.tenant)
        )


class MemoryTokens:
    """Keeps task tokens."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[RunKey, str], tuple[str, str]] = {}

    def keep(self, key: RunKey, call: str, token: str, made: str = "") -> bool:
        """Write a token unless a newer one is there."""
        if made and self._tokens.get((key, call), ("", ""))[0] > made:
            return False
        self._tokens[key, call] = (made, token)
        return True

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a token."""
        return self._tokens.get((key, call), ("", None))[1]


class MemoryWakeUps:
    """Keeps wake-ups until a test takes them."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Keep a wake-up."""
        del freed
        self.sent.append(tenant)
