"""Slots of workflows' runs in dictionaries, counted in the queue that agents' runs share."""

from __future__ import annotations

from stepward.adapters.memory.run_queue import MemoryRunQueue
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.domain.errors import StoreConflict
from stepward.domain.run_queue import QueuedRun, Slot, used_shards
from stepward.domain.runs import RunKey
from stepward.domain.slot_state import SlotState
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits
from stepward.ports.workflow_runs import NewWorkflowRun


class MemoryWorkflowSlots:
    """Moves slots with the table's conditions, under the locks of records and queue."""

    def __init__(
        self, heads: dict[RunKey, WorkflowHead], store: MemoryTaskStore, line: MemoryRunQueue
    ) -> None:
        self.line = line
        self._heads, self._store = heads, store

    def slot_state(self, key: RunKey) -> SlotState | None:
        """Read the state of a run's slot."""
        return self._store.slot_state(key)

    def begin(self, new: NewWorkflowRun) -> SlotState | None:
        """Take a slot for a new run, or a place in the queue."""
        if new.limits is None:
            return None
        key = new.head.key
        with self._store.lock, self.line.lock:
            slot = _slot(key, new.limits)
            full = self.line.full(key.tenant, slot, new.limits, past_others=False)
            if full:
                self.line.ask(full)
                self.line.join(new.waiting)
                return SlotState(place=new.waiting.place)
            self.line.take(key, slot)
            return SlotState(slot=slot)

    def change(
        self, key: RunKey, before: SlotState, after: SlotState, limits: SlotLimits, *, past_limit: bool = True
    ) -> Freed:
        """Write a new slot state, and take or return the slot that goes with it.

        time →   task A: waits, slot given back ✓      task B: changed ✗ → reads again: others wait, there is no slot
        """
        with self._store.lock, self.line.lock:
            if after.needs_slot and before.slot is None:
                return self._regain(key, before, after, limits, past_limit=past_limit)
            if before.slot is None or after.needs_slot:
                self._store.put_slot_state(key, before, after)
                return Freed(done=True)
            self._store.put_slot_state(key, before, after.model_copy(update={"slot": None}))
            self._show(key, WorkflowStatus.WAITING)
            self.line.parked[key.tenant] += 1
            return self.line.give_back(key, before.slot)

    def admit(
        self, waiting: QueuedRun, before: SlotState, limits: SlotLimits, deadline_at: str
    ) -> SlotState | NoSlot:
        """Take a run out of the queue and give it a slot."""
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        with self._store.lock, self.line.lock:
            slot = _slot(key, limits)
            full = self.line.full(key.tenant, slot, limits, past_others=True)
            if full:
                return NoSlot(self.line.asked(full))
            after = before.admitted(slot)
            self._store.put_slot_state(key, before, after)
            self.line.vacate(key.tenant, waiting.place)
            self.line.take(key, slot)
            self._show(key, WorkflowStatus.RUNNING, deadline_at=deadline_at)
            return after

    def end(self, key: RunKey) -> Freed:
        """Return what an ending run holds, under the lock of its records."""
        before = self._store.slot_state(key)
        if before is None or before.is_over:
            return Freed(done=True)
        with self.line.lock:
            self._store.put_slot_state(key, before, before.over())
            self.line.vacate(key.tenant, before.place)
            self.line.parked[key.tenant] -= before.is_parked
            return self.line.give_back(key, before.slot)

    def _regain(
        self, key: RunKey, before: SlotState, after: SlotState, limits: SlotLimits, *, past_limit: bool
    ) -> Freed:
        slot = _slot(key, limits)
        full = self.line.full(key.tenant, slot, limits, past_others=True)
        if full and not past_limit:
            return Freed(done=False)
        self._store.put_slot_state(key, before, after)
        if full:
            slot = self.line.past_limit(key, slot)
        else:
            self.line.take(key, slot)
        self._store.put_slot_state(key, after, after.model_copy(update={"slot": slot}))
        self._show(key, WorkflowStatus.RUNNING)
        self.line.parked[key.tenant] -= 1
        return Freed(done=True)

    def _show(self, key: RunKey, status: WorkflowStatus, **more: str) -> None:
        head = self._heads[key]
        if head.ended:
            raise StoreConflict(f"{key.run} has ended.")
        self._heads[key] = head.model_copy(update={"status": status, **more})


def _slot(key: RunKey, limits: SlotLimits) -> Slot:
    number = int.from_bytes(key.run.encode()[-4:])
    mine = used_shards(limits.tenant.active, limits.tenant.shards)
    everybodys = used_shards(limits.account.active, limits.account.shards)
    return Slot(tenant_shard=number % mine, account_shard=number % everybodys)
