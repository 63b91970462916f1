"""Slots of workflows' runs: a run's slot state in its journal, counters in the runtime table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stepward.adapters.aws import slots
from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, run_pk, to_item
from stepward.adapters.aws.slots import SlotReturns
from stepward.adapters.aws.task_store import STANDING, START, DynamoTaskStore, slot_state_of
from stepward.adapters.aws.transactions import Refused, Step, transact, update
from stepward.domain.errors import StoreConflict
from stepward.domain.run_queue import QueuedRun, SlotState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowStatus
from stepward.domain.ttl_cache import TtlCache
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits

HEAD: Final = "head"
_COUNTERS: Final = {slots.TENANT, slots.ACCOUNT}


@dataclass(frozen=True)
class DynamoWorkflowSlots:
    """Moves slots in transactions that change the run's slot state too.

    Each is on condition that no other writer changed it meanwhile.
    """

    table: str
    store: DynamoTaskStore
    asked: TtlCache[Freed] = field(default_factory=lambda: TtlCache(slots.HINT_TTL_S))

    def slot_state(self, key: RunKey) -> SlotState | None:
        """Read the slot state from a run's start."""
        with translated(f"reading the slot state of {key.run}"):
            found = client("dynamodb").get_item(
                TableName=self.store.table, Key=to_item(_start_key(key)), ConsistentRead=True
            )
        return slot_state_of(from_item(found["Item"])) if "Item" in found else None

    def change(
        self, key: RunKey, before: SlotState, after: SlotState, limits: SlotLimits, *, past_limit: bool = True
    ) -> Freed:
        """Write a new slot state, and take or return the slot that goes with it.

        time →   task A: waits, slot given back ✓ (change 2)      task B: change 2 ✗ → reads again: others wait, there is no slot
                 settle: over ✓ (change 3)                        task B: change 3 ✗ → reads again: it is over
        """
        if after.needs_slot and before.slot is None:
            return Freed(done=self._regain(key, before, after, limits, past_limit=past_limit))
        if before.slot is not None and not after.needs_slot:
            kept = [
                self._write(key, before, after.model_copy(update={"slot": None})),
                self._status(key, WorkflowStatus.WAITING),
            ]
            return self._give_back(key, before, kept, "parking", parked=True)
        self._done(transact([self._write(key, before, after)], f"writing the slot state of {key.run}"), key)
        return Freed(done=True)

    def admit(
        self, waiting: QueuedRun, before: SlotState, limits: SlotLimits, deadline_at: str
    ) -> SlotState | NoSlot:
        """Take a run out of the queue and give it a slot.

        time →   dispatch A: slot ✓ place gone (change 2)      dispatch B, the same run: change 2 ✗ → looks again
                 cancel: over ✓ (change 2)                     dispatch: change 2 ✗ → looks again: it is over
        """
        key, asked = RunKey(tenant=waiting.tenant, run=waiting.run), True
        for slot in slots.slots_to_try(key.run, limits):
            after = before.admitted(slot)
            steps = [
                self._write(key, before, after),
                self._status(key, WorkflowStatus.RUNNING, deadline_at=deadline_at),
                slots.leave(self.table, key.tenant, waiting.position),
                *slots.take(self.table, key, slot, limits, past_others=True),
            ]
            refused = transact(steps, f"admitting {key.run}")
            if refused is None:
                return after
            if not set(refused.by) <= _COUNTERS:
                raise StoreConflict(f"{key.run} has gone on: {', '.join(refused.by)}.")
            asked = asked and slots.is_asked(refused)
        return NoSlot(asked)

    def end(self, key: RunKey, closing: list[Step], *, expires_at: int | None = None) -> Freed:
        """Write a run's end and return what it holds; `done` is False if it had ended before.

        With `expires_at` nothing is deleted: the table then removes what is left of a withdrawn start.
        """
        before = self.slot_state(key)
        if before is None or before.is_over:
            return Freed(done=transact(closing, f"closing {key.run}") is None)
        kept = [
            *closing,
            self._write(key, before, before.over()),
            *([slots.leave(self.table, key.tenant, before.position)] if before.position else []),
            *([slots.forget_parked(self.table, key.tenant)] if before.is_parked else []),
        ]
        return self._give_back(key, before, kept, "closing", expires_at=expires_at)

    def _regain(
        self, key: RunKey, before: SlotState, after: SlotState, limits: SlotLimits, *, past_limit: bool
    ) -> bool:
        """Take a slot for a run that goes on: a free one, else one over the limit."""
        for slot in slots.slots_to_try(key.run, limits):
            taken = slots.take(self.table, key, slot, limits, past_others=True, parked=True)
            held = after.model_copy(update={"slot": slot})
            refused = transact(self._going_on(key, before, held, taken), f"going on with {key.run}")
            if refused is None:
                return True
            if not set(refused.by) <= _COUNTERS:
                break
        if not past_limit:
            return False
        slot, taken = slots.take_past_limit(self.table, key, limits)
        held = after.model_copy(update={"slot": slot})
        self._done(transact(self._going_on(key, before, held, taken), f"going on with {key.run}"), key)
        return True

    def _going_on(self, key: RunKey, before: SlotState, held: SlotState, taken: list[Step]) -> list[Step]:
        return [self._write(key, before, held), self._status(key, WorkflowStatus.RUNNING), *taken]

    def _give_back(
        self,
        key: RunKey,
        before: SlotState,
        kept: list[Step],
        doing: str,
        *,
        parked: bool = False,
        expires_at: int | None = None,
    ) -> Freed:
        returns = SlotReturns(self.table, self.asked)
        refused, freed = returns(
            key, kept, before.slot, f"{doing} {key.run}", parked=parked, expires_at=expires_at
        )
        if refused is not None and HEAD in refused:
            return Freed(done=False)
        self._done(refused, key)
        return freed

    def _write(self, key: RunKey, before: SlotState, after: SlotState) -> Step:
        return update(
            STANDING,
            self.store.table,
            _start_key(key),
            "SET #standing = :standing, #change = :change",
            {":standing": after.model_dump_json(), ":change": after.change, ":before": before.change},
            "#change = :before",
            {"#standing": STANDING, "#change": "change"},
        )

    def _status(self, key: RunKey, status: WorkflowStatus, **more: str) -> Step:
        """Lay out the new status of the run's head, which must not have ended."""
        values = {"status": status.value, **more}
        return update(
            HEAD,
            self.table,
            {"pk": run_pk(key), "sk": "HEAD"},
            "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            {f":{name}": value for name, value in values.items()},
            "attribute_not_exists(ended_at)",
            {f"#{name}": name for name in values},
        )

    def _done(self, refused: Refused | None, key: RunKey) -> None:
        if refused is not None:
            raise StoreConflict(f"{key.run} has gone on: {', '.join(refused.by)}.")


def _start_key(key: RunKey) -> dict[str, str]:
    return {"pk": run_pk(key), "sk": START}
