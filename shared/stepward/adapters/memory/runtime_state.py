"""Runtime state in dictionaries, with the same conditions as the table."""

from __future__ import annotations

from collections.abc import Sequence

from stepward.adapters.memory.costs import MemoryBudgets, MemoryCostBook
from stepward.adapters.memory.journal import MemoryJournal
from stepward.adapters.memory.prompts import MemoryPromptCounts
from stepward.adapters.memory.run_lists import MemoryRunLists
from stepward.adapters.memory.run_queue import MemoryRunQueue
from stepward.domain.budgets import BudgetRef, start_refused
from stepward.domain.costs import CostLine
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    Continued,
    Parked,
    Pause,
    Queued,
    Resume,
    ToppedUp,
    Turn,
)
from stepward.domain.run_queue import Allowance, Draw, QueuedRun, Slot, queue_position, used_shards
from stepward.domain.runs import RunHead, RunKey, RunStatus, Totals
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits
from stepward.ports.runs import NewRun, Settlement, Started, has_begun, key_used_before, records_of


class MemoryRuntimeState(MemoryRunLists):
    """Keeps heads, budgets and idempotency records; journal writes are part of the same step."""

    def __init__(self, journal: MemoryJournal, line: MemoryRunQueue | None = None) -> None:
        super().__init__()
        self.line = line or MemoryRunQueue()
        self.cost_book = MemoryCostBook()
        self.prompt_counts = MemoryPromptCounts()
        self.budgets = MemoryBudgets(self.line.lock)
        self._journal = journal
        self._keys: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._lock = self.line.lock

    def start(self, new: NewRun) -> Started:
        """Create head and first records, or find the run that its key started."""
        with self._lock:
            before = self._started_before(new)
            if before:
                return Started(before, is_new=False, queued=before.status is RunStatus.PENDING)
            slot = self._slot(new.head.run, new.limits)
            full = self.line.full(new.head.tenant, slot, new.limits, past_others=False)
            if full:
                return self._join(new, asked=self.line.ask(full))
            self._draw_at_start(new)
            self.line.take(new.head.key, slot)
            allowance = new.draw.allowance if new.draw else None
            first = new.first.model_copy(update={"slot": slot, "allowance": allowance})
            return Started(self._write(new, records_of(new, first), RunStatus.RUNNING), is_new=True)

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head."""
        return self.heads.get(key)

    def admit(
        self, waiting: QueuedRun, at: str, writer: str, limits: SlotLimits, draw: Draw | None
    ) -> Admitted | NoSlot:
        """Give a run a slot."""
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        with self._lock:
            self._next(key, waiting.seq + 1)
            slot = self._slot(waiting.run, limits)
            full = self.line.full(waiting.tenant, slot, limits, past_others=True)
            if full:
                return NoSlot(self.line.asked(full))
            allowance = draw.allowance if draw else None
            if draw and not self._draw(key.tenant, draw):
                allowance = Allowance(usd_micros=0, budgets=draw.budgets)
            record = Admitted(at=at, writer=writer, slot=slot, allowance=allowance)
            self._journal.append(key, waiting.seq + 1, record)
            self._set(key, status=RunStatus.RUNNING)
            self.line.vacate(key.tenant, waiting.position)
            self.line.take(key, slot)
            self.line.parked[key.tenant] -= has_begun(waiting)
            return record

    def queue(self, waiting: QueuedRun, record: Queued) -> None:
        """Put a run at the head of the queue."""
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        with self._lock:
            self._next(key, waiting.seq + 1)
            self._journal.append(key, waiting.seq + 1, record)
            self.line.join(waiting.model_copy(update={"seq": waiting.seq + 1}))

    def hold(self, key: RunKey, seq: int, record: Pause, position: str | None) -> None:
        """Write that a run is paused."""
        with self._lock:
            self._next(key, seq)
            self._journal.append(key, seq, record)
            self._set(key, paused=True)
            self.line.vacate(key.tenant, position)

    def release(self, key: RunKey, seq: int, record: Resume, waiting: QueuedRun | None) -> None:
        """Write that a run is resumed."""
        with self._lock:
            self._next(key, seq)
            self._journal.append(key, seq, record)
            self._set(key, paused=False)
            if waiting:
                self.line.join(waiting)

    def park(
        self, key: RunKey, seq: int, record: Parked, slot: Slot | None, returns: tuple[Allowance, ...]
    ) -> Freed:
        """Return slot and money while the run waits."""
        with self._lock:
            self._next(key, seq)
            self._journal.append(key, seq, record)
            self._set(key, status=RunStatus.WAITING)
            self._give_money_back(key.tenant, returns)
            self.line.parked[key.tenant] += slot is not None
            return self.line.give_back(key, slot)

    def begin_epoch(self, key: RunKey, seq: int, record: Continued) -> None:
        """Write the new epoch into journal and head, or into neither."""
        with self._lock:
            self._next(key, seq)
            if self.heads[key].ended or self.heads[key].epoch != record.epoch - 1:
                raise StoreConflict(f"the head of {key.run} is not in epoch {record.epoch - 1}.")
            self._journal.append(key, seq, record)
            self._set(key, epoch=record.epoch)

    def top_up(self, key: RunKey, seq: int, record: ToppedUp, draw: Draw) -> bool:
        """Draw once more from the run's budgets, or not at all."""
        with self._lock:
            self._next(key, seq)
            if not self._draw(key.tenant, draw):
                return False
            self._journal.append(key, seq, record)
            return True

    def close(self, key: RunKey, settlement: Settlement) -> Freed:
        """Write the end once, and return what the run holds."""
        with self._lock:
            if self.heads[key].ended:
                return Freed(done=False)
            self._set(key, **dict(settlement.closing))
            if settlement.tells_others:
                self.untold.add(key)
            self.line.vacate(key.tenant, settlement.position)
            self.line.parked[key.tenant] -= settlement.parked
            self._give_money_back(key.tenant, settlement.returns)
            for line in settlement.costs:
                self.cost_book.add(key.tenant, line)
            if settlement.arm:
                self.prompt_counts.add(key.tenant, settlement.arm)
            return self.line.give_back(key, settlement.slot)

    def mark_notified(self, key: RunKey) -> None:
        """Mark a run as one whose parent is notified."""
        self.untold.discard(key)

    def book_late(
        self,
        key: RunKey,
        seq: int,
        turn: Turn,
        totals: Totals,
        returns: tuple[Allowance, ...],
        cost: CostLine | None,
    ) -> None:
        """Append a late reply and count it, or neither."""
        with self._lock:
            if not self.heads[key].ended:
                raise StoreConflict(f"{key.run} has not ended.")
            self._next(key, seq)
            self._journal.append(key, seq, turn)
            self._set(key, totals=totals)
            self._give_money_back(key.tenant, returns)
            if cost:
                self.cost_book.add(key.tenant, cost)

    # ── parts, under the lock ───────────────────────────────────────────────────────────────────────────────────

    def _started_before(self, new: NewRun) -> RunHead | None:
        given = new.idempotency
        if given:
            place = (new.head.tenant, given.principal, given.key)
            body, run = self._keys.get(place, (given.body_sha256, new.head.run))
            if body != given.body_sha256:
                raise key_used_before()
            if run != new.head.run:
                return self.heads[RunKey(tenant=new.head.tenant, run=run)]
        return self.heads.get(new.head.key)

    def _join(self, new: NewRun, *, asked: bool) -> Started:
        head, written = new.head, len(records_of(new, new.first))
        waiting = QueuedRun(
            tenant=head.tenant,
            run=head.run,
            position=queue_position(head.priority, head.created_at, head.run),
            seq=written,
            agent=head.agent,
            draw_usd_micros=new.draw.usd_micros if new.draw else 0,
            charged=new.first.charged,
            epoch=head.epoch,
        )
        self.line.join(waiting)
        first = new.first.model_copy(update={"position": waiting.position})
        return Started(
            self._write(new, records_of(new, first), RunStatus.PENDING),
            is_new=True,
            queued=True,
            asked=asked,
        )

    def _write(self, new: NewRun, records: Sequence[AnyRecord], status: RunStatus) -> RunHead:
        head = new.head.model_copy(update={"status": status})
        for place, record in enumerate(records):
            self._journal.append(head.key, place + 1, record)
        self.heads[head.key] = head
        if new.idempotency:
            place_of_key = (head.tenant, new.idempotency.principal, new.idempotency.key)
            self._keys[place_of_key] = (new.idempotency.body_sha256, head.run)
        return head

    def _slot(self, run: str, limits: SlotLimits) -> Slot:
        number = int.from_bytes(run.encode()[-4:])
        mine = used_shards(limits.tenant.active, limits.tenant.shards)
        everybodys = used_shards(limits.account.active, limits.account.shards)
        return Slot(tenant_shard=number % mine, account_shard=number % everybodys)

    def _draw_at_start(self, new: NewRun) -> None:
        if new.draw and not self._draw(new.head.tenant, new.draw):
            raise start_refused(BudgetRef.of(self._empty(new.head.tenant, new.draw)[0]), new.draw.usd_micros)

    def _empty(self, tenant: str, draw: Draw) -> list[str]:
        both = zip(draw.budgets, draw.limits_usd_micros, strict=True)
        return [one for one, limit in both if not self.budgets.can_draw(tenant, one, limit, draw.usd_micros)]

    def _draw(self, tenant: str, draw: Draw) -> bool:
        if self._empty(tenant, draw):
            return False
        for budget, limit in zip(draw.budgets, draw.limits_usd_micros, strict=True):
            self.budgets.draw(tenant, budget, limit, draw.usd_micros)
        return True

    def _give_money_back(self, tenant: str, returns: Sequence[Allowance]) -> None:
        for allowance in returns:
            for budget in allowance.budgets:
                self.budgets.give_back(tenant, budget, allowance.usd_micros)

    def _next(self, key: RunKey, seq: int) -> None:
        newest = self._journal.newest(key)
        if (newest.seq if newest else 0) != seq - 1:
            raise StoreConflict(f"record {seq} of {key.run} is taken.")

    def _set(self, key: RunKey, **fields: object) -> None:
        self.heads[key] = self.heads[key].model_copy(update=fields)
