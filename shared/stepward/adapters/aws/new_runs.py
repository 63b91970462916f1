"""The transaction that starts a run: with a slot if one is free, else with a queue place."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepward.adapters.aws import slots
from stepward.adapters.aws.budgets import DynamoBudgets
from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.journal import DynamoJournal
from stepward.adapters.aws.run_lists import head_item, head_key, read_head
from stepward.adapters.aws.transactions import (
    IDEMPOTENCY,
    Refused,
    Step,
    before_with,
    put_key,
    put_new,
    transact,
)
from stepward.domain.budgets import BudgetRef, start_refused
from stepward.domain.errors import Bug
from stepward.domain.journal import Created
from stepward.domain.run_queue import QueuedRun, Slot, queue_position
from stepward.domain.runs import RunHead, RunKey, RunStatus
from stepward.domain.ttl_cache import TtlCache
from stepward.ports.clock import Clock, iso
from stepward.ports.runs import NewRun, Started, records_of


@dataclass(frozen=True)
class NewRuns:
    """Writes the first items of runs."""

    table: str
    journal: DynamoJournal
    clock: Clock
    full: TtlCache[bool] = field(default_factory=lambda: TtlCache(slots.HINT_TTL_S))
    """Tenants that had no slot left a moment ago: their runs join the queue at once."""

    def start(self, new: NewRun) -> Started:
        """Create head, first records and idempotency record together, or find the earlier run.

        time →   caller A:  transaction ✓                          run 1
                 caller A again, same key:  ✗ the key is there → same body: run 1; other body: Conflict
                 caller B:  no slot ✗ → transaction ✓ with a place in the queue
        """
        refused, tried = Refused({}), Slot()
        if self.full.get(new.head.tenant):
            return self._join(new, [])
        for slot in slots.slots_to_try(new.head.run, new.limits):
            refused, tried = self._try(new, slot) or Refused({}), slot
            if not refused.by:
                return Started(_with_status(new.head, RunStatus.RUNNING), is_new=True)
            found = self._otherwise(new, refused)
            if found:
                return found
        self.full.put(new.head.tenant, True)
        return self._join(new, slots.ask_for_wake_up(self.table, new.head.key, tried, refused))

    def _try(self, new: NewRun, slot: Slot) -> Refused | None:
        first = new.first.model_copy(
            update={"slot": slot, "allowance": new.draw.allowance if new.draw else None}
        )
        taken = slots.take(self.table, new.head.key, slot, new.limits, past_others=False)
        drawn = slots.draw_steps(self.table, new.head.tenant, new.draw)
        return transact(
            [*self._beginning(new, first, RunStatus.RUNNING), *taken, *drawn], f"starting {new.head.run}"
        )

    def _join(self, new: NewRun, flags: list[Step]) -> Started:
        waiting = waiting_of(new)
        first = new.first.model_copy(update={"position": waiting.position})
        steps = [
            *self._beginning(new, first, RunStatus.PENDING),
            slots.join(self.table, waiting),
            *flags,
        ]
        refused = transact(steps, f"queueing {new.head.run}")
        if refused is None:
            asked = not flags and slots.is_flagged(self.table, new.head.tenant)
            return Started(_with_status(new.head, RunStatus.PENDING), is_new=True, queued=True, asked=asked)
        found = self._otherwise(new, refused)
        if found is None:
            raise Bug(f"{new.head.run} could not be started: {', '.join(refused.by)}")
        return found

    def _otherwise(self, new: NewRun, refused: Refused) -> Started | None:
        """Return what a refusal means if it is not that no slot is free."""
        if IDEMPOTENCY in refused:
            return _again(self._started_before(new))
        if "head" in refused:
            found = self._read(new.head.key)
            if found is None:
                raise Bug(f"the head of {new.head.run} is there and is not")
            return _again(found)
        # Without a slot nothing is drawn yet: a queued run draws when it is admitted.
        empty = [] if slots.TENANT in refused or slots.ACCOUNT in refused else slots.empty_budgets(refused)
        if empty:
            DynamoBudgets(self.table).refused(new.head.tenant, empty[0], iso(self.clock.now()))
            raise start_refused(BudgetRef.of(empty[0]), new.draw.usd_micros if new.draw else 0)
        return None

    def _beginning(self, new: NewRun, first: Created, status: RunStatus) -> list[Step]:
        head, journal = _with_status(new.head, status), self.journal
        steps = [put_new("head", self.table, head_item(head))]
        for place, record in enumerate(records_of(new, first)):
            item = journal.record_item(head.key, place + 1, record)
            steps.append(put_new(f"record {place + 1}", journal.table, item))
        if new.idempotency:
            steps.append(put_key(self.table, head.tenant, head.run, new.idempotency, self.clock.now()))
        return steps

    def _started_before(self, new: NewRun) -> RunHead:
        assert new.idempotency is not None
        tenant = new.head.tenant
        run = before_with(self.table, tenant, new.idempotency)
        found = self._read(RunKey(tenant=tenant, run=run))
        if found is None:
            raise Bug(f"an idempotency record names {run}, which has no head")
        return found

    def _read(self, key: RunKey) -> RunHead | None:
        with translated(f"reading {key.run}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=head_key(key), ConsistentRead=True)
        return read_head(found["Item"]) if "Item" in found else None


def waiting_of(new: NewRun) -> QueuedRun:
    """Return the queue entry of a run that finds no slot at its start."""
    head = new.head
    return QueuedRun(
        tenant=head.tenant,
        run=head.run,
        position=queue_position(head.priority, head.created_at, head.run),
        seq=len(records_of(new, new.first)),
        agent=head.agent,
        draw_usd_micros=new.draw.usd_micros if new.draw else 0,
        charged=new.first.charged,
        epoch=head.epoch,
    )


def _again(head: RunHead) -> Started:
    """Return a run that was started before.

    The machine of a queued one starts when the run is admitted, not now.
    """
    return Started(head, is_new=False, queued=head.status is RunStatus.PENDING)


def _with_status(head: RunHead, status: RunStatus) -> RunHead:
    return head.model_copy(update={"status": status})
