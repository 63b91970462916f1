"""Slots and the line in dictionaries, counted as the table counts them."""

from __future__ import annotations

from collections import Counter
from threading import RLock

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.run_queue import QueuedRun, Slot, shard_limit
from stepward.domain.runs import RunKey
from stepward.ports.run_queue import QueueView, SlotCount, look_at
from stepward.ports.runs import Freed, SlotLimits


class MemoryRunQueue:
    """Who holds a slot, who waits for one, and who asked to be told."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.slots: dict[RunKey, Slot] = {}
        self.places: dict[tuple[str, str], QueuedRun] = {}
        self.parked: Counter[str] = Counter()
        self.most_active: Counter[str] = Counter()
        self._flags: set[tuple[str | None, int]] = set()
        self._tenants: dict[str, None] = {}

    def first(self, tenant: str, limit: int) -> list[QueuedRun]:
        """Read the head of the line."""
        with self.lock:
            mine = sorted(place for owner, place in self.places if owner == tenant)
            return [self.places[tenant, place] for place in mine[:limit]]

    def leave(self, waiting: QueuedRun) -> None:
        """Take a run out of the line, unless it has gone and come back to its place since."""
        with self.lock:
            found = self.places.get((waiting.tenant, waiting.place))
            if found is not None and found.seq == waiting.seq:
                self.vacate(waiting.tenant, waiting.place)

    def request_wake_up(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Ask to be told of free slots."""
        with self.lock:
            self._tenants[tenant] = None
            self._flags |= {(tenant, shard) for shard in range(limits.shards)}
            if account:
                self._flags |= {(None, shard) for shard in range(account.shards)}

    def clear_wake_up(self, tenant: str, limits: TenantLimits) -> None:
        """Take the tenant's flags away."""
        with self.lock:
            self._tenants.pop(tenant, None)
            self._flags -= {(tenant, shard) for shard in range(limits.shards)}

    def clear_account_wake_up(self, account: AccountLimits) -> None:
        """Take the account's flags away."""
        with self.lock:
            self._flags -= {(None, shard) for shard in range(account.shards)}

    def waiting_tenants(self, limit: int, after: str = "") -> list[str]:
        """Name the tenants with a line."""
        return sorted(self._tenants, key=lambda tenant: (tenant <= after, tenant))[:limit]

    def view(self, tenant: str) -> QueueView:
        """Look at the names of all places."""
        return look_at([place for owner, place in self.places if owner == tenant])

    def count(self, tenant: str | None) -> SlotCount:
        """Count who holds a slot and who waits."""
        mine = (slot for key, slot in self.slots.items() if tenant in (None, key.tenant))
        active = sum(tenant is not None or slot.account_shard is not None for slot in mine)
        return SlotCount(active, self.parked[tenant or ""])

    # ── for the runtime state, under the lock ───────────────────────────────────────────────────────────────────

    def full(
        self, tenant: str, slot: Slot, limits: SlotLimits, *, past_others: bool
    ) -> list[tuple[str | None, int]]:
        """Name the counters that have no slot left, or whose slots go to those in line first."""
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
        """Flag counters; tell whether the tenant's were flagged already, and no other was full."""
        asked = self.asked(counters)
        self._flags |= set(counters)
        return asked

    def asked(self, counters: list[tuple[str | None, int]]) -> bool:
        """Tell whether only the tenant's counters are full and whoever frees a slot of them will say so."""
        return all(owner is not None and (owner, shard) in self._flags for owner, shard in counters)

    def join(self, waiting: QueuedRun) -> None:
        """Stand in line."""
        self.places[waiting.tenant, waiting.place] = waiting

    def vacate(self, tenant: str, place: str | None) -> None:
        """Free a place, whoever stands there: the journal says that it is this run."""
        if place:
            self.places.pop((tenant, place), None)

    def give_back(self, key: RunKey, slot: Slot | None) -> Freed:
        """Take a slot back and tell who asked for it."""
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
        """Take a slot of the tenant's alone, whether one is left or not."""
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
    """Task tokens in a dictionary."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[RunKey, str], tuple[str, str]] = {}

    def keep(self, key: RunKey, call: str, token: str, made: str = "") -> bool:
        """Keep the newest token."""
        if made and self._tokens.get((key, call), ("", ""))[0] > made:
            return False
        self._tokens[key, call] = (made, token)
        return True

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a token."""
        return self._tokens.get((key, call), ("", None))[1]


class MemoryWakeUps:
    """WakeUps that wait to be taken."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Keep a wake-up."""
        del freed
        self.sent.append(tenant)
