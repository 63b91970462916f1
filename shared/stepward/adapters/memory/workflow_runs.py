"""Heads, slots and executions of workflows' runs in dictionaries."""

from __future__ import annotations

from typing import Literal

from stepward.adapters.memory.costs import MemoryCostBook
from stepward.adapters.memory.run_queue import MemoryRunQueue
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.domain.costs import CostLine
from stepward.domain.errors import MachineMissing, StoreConflict
from stepward.domain.run_lists import RunFilter, RunSlice, place_of
from stepward.domain.run_queue import QueuedRun, Slot, SlotState, used_shards
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.clock import Clock
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits
from stepward.ports.runs import IdempotencyKey, key_used_before
from stepward.ports.workflow_runs import NewWorkflowRun, WorkflowEnd


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
                return SlotState(position=new.waiting.position)
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
            self.line.vacate(key.tenant, waiting.position)
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
            self.line.vacate(key.tenant, before.position)
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


class MemoryWorkflowRuns:
    """Keeps heads and idempotency records; a start writes to the task store in one step."""

    def __init__(
        self,
        store: MemoryTaskStore,
        clock: Clock,
        book: MemoryCostBook | None = None,
        line: MemoryRunQueue | None = None,
    ) -> None:
        self.heads: dict[RunKey, WorkflowHead] = {}
        self.cost_book = book or MemoryCostBook()
        self.slots = MemoryWorkflowSlots(self.heads, store, line or MemoryRunQueue())
        self._store, self._clock = store, clock
        self._keys: dict[tuple[str, str, str], tuple[str, str, int]] = {}

    def start(self, new: NewWorkflowRun) -> tuple[WorkflowHead, bool]:
        """Create head, start and input together, or find the run that the key started.

        time →   A: all ✓            A again: the key, or the run, is there → the same run
        """
        head = new.head
        with self._store.lock:
            before = self._started_before(new)
            if before:
                return before, False
            if new.idempotency:
                said = (new.idempotency.body_sha256, head.run, new.idempotency.expires_at)
                self._keys[_name(new)] = said
            slot_state = self.slots.begin(new)
            status = WorkflowStatus.PENDING if slot_state and slot_state.position else head.status
            self.heads[head.key] = head.model_copy(update={"status": status})
            self._store.begin_run(head.key, new.started, new.given, slot_state)
            return self.heads[head.key], True

    def head(self, key: RunKey) -> WorkflowHead | None:
        """Read a head."""
        return self.heads.get(key)

    def withdraw(self, head: WorkflowHead, idempotency: IdempotencyKey | None) -> Freed:
        """Withdraw a start and its key, unless the run has ended.

        time →   start: head ✓ ─ no machine ─ forgotten ✓           the same key again: free → another run
        """
        with self._store.lock:
            found = self.heads.get(head.key)
            if found is None or found.ended:
                return Freed(done=False)
            del self.heads[head.key]
            if idempotency:
                self._keys.pop((head.tenant, idempotency.principal, idempotency.key), None)
            return self.slots.end(head.key)

    def close(self, key: RunKey, end: WorkflowEnd, cost: CostLine | None = None) -> Freed:
        """Write the end, book the cost and return the slot, unless the run has ended.

        time →   settle: end ✓ cost ✓ slot ✓          cancel, or settle again: end ✗ cost ✗ slot ✗ → it had ended
        """
        with self._store.lock:
            head = self.heads.get(key)
            if head is None or head.ended:
                return Freed(done=False)
            self.heads[key] = head.model_copy(update=dict(end))
            if cost:
                self.cost_book.add(key.tenant, cost)
            return self.slots.end(key)

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[WorkflowHead]:
        """List runs, newest first."""
        found = [
            head
            for head in self.heads.values()
            if head.tenant == tenant and wanted.wants(head.workflow, head.status, place_of(head), before)
        ]
        return RunSlice.cut(sorted(found, key=place_of, reverse=True), limit)

    def count_open(self, tenant: str, workflow: str, version: str) -> int:
        """Count a version's runs that have not ended."""
        wanted = (tenant, workflow, version)
        return sum(
            (head.tenant, head.workflow, head.version) == wanted and not head.ended
            for head in self.heads.values()
        )

    def open_runs(self, created_before: str, limit: int) -> list[WorkflowHead]:
        """List runs that have not ended, oldest first."""
        found = [head for head in self.heads.values() if not head.ended and head.created_at < created_before]
        return sorted(found, key=lambda head: head.created_at)[:limit]

    def _started_before(self, new: NewWorkflowRun) -> WorkflowHead | None:
        given, head = new.idempotency, new.head
        if given:
            fresh = (given.body_sha256, head.run, given.expires_at)
            body, run, expires_at = self._keys.get(_name(new), fresh)
            if expires_at < int(self._clock.now().timestamp()):
                body, run, _ = fresh
            if body != given.body_sha256:
                raise key_used_before()
            if run != head.run:
                return self.heads[RunKey(tenant=head.tenant, run=run)]
        return self.heads.get(head.key)


class MemoryMachines:
    """Records executions that run, and the waits that were answered."""

    def __init__(self) -> None:
        self.running: dict[str, WorkflowHead] = {}
        self.over: dict[str, str] = {}
        self.missing: set[str] = set()
        """The names of machines that are gone."""
        self.ordered: list[tuple[str, str, str]] = []
        self.answers: list[tuple[str, str | None]] = []
        """Tokens in their order, with the error of those that were refused."""

    def start(self, head: WorkflowHead) -> None:
        """Start an execution once a name."""
        if head.machine in self.missing:
            self.request_publish(head.tenant, head.workflow, head.version)
            raise MachineMissing(f"the state machine of {head.workflow} {head.version} is gone.")
        if head.execution_name not in self.over:
            self.running.setdefault(head.execution_name, head)

    def is_made(self, machine: str) -> bool:
        """Return whether a version's state machine exists."""
        return machine not in self.missing

    def request_publish(self, tenant: str, workflow: str, version: str) -> None:
        """Record a request of a state machine."""
        self.ordered.append((tenant, workflow, version))

    def stop(self, head: WorkflowHead, error: str, cause: str) -> None:
        """End an execution that runs."""
        if self.running.pop(head.execution_name, None):
            self.over[head.execution_name] = f"{error}: {cause}"

    def execution_status(self, head: WorkflowHead) -> Literal["running", "over", "never began"]:
        """Return the status of an execution."""
        if head.execution_name in self.running:
            return "running"
        return "over" if head.execution_name in self.over else "never began"

    def answer(self, token: str) -> bool:
        """Record an answer; the first to a token is the one that counts."""
        return self._is_first_answer(token, None)

    def refuse(self, token: str, error: str, cause: str) -> bool:
        """Record a failure."""
        return self._is_first_answer(token, f"{error}: {cause}")

    def _is_first_answer(self, token: str, error: str | None) -> bool:
        is_first = all(known != token for known, _ in self.answers)
        self.answers.append((token, error))
        return is_first


def _name(new: NewWorkflowRun) -> tuple[str, str, str]:
    assert new.idempotency is not None
    return new.head.tenant, new.idempotency.principal, new.idempotency.key
