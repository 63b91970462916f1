"""Release a run's slot before a long wait, and acquire one after it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from stepward.domain.errors import StoreConflict
from stepward.domain.programs import Program
from stepward.domain.run_queue import SlotState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey
from stepward.ports.run_queue import SlotLimits
from stepward.ports.tasks import LatchKey, RunSnapshot
from stepward.workflows.runs.run_store import WorkflowPorts

LONG_S: Final = 30
"""A shorter wait keeps its slot: releasing and acquiring it would cost more than it frees."""
_ATTEMPTS: Final = 50
"""Parallel tasks of one run change its slot state one after another."""


@dataclass(frozen=True)
class RunSlot:
    """Acquires and releases the slot of one run.

    time →   task: waits, slot given back ✓ ─ asks          answer: record ✓ ─ wakes          next task: slot taken ✓ ─ works
             the slot is given back before the wait begins: the child run that answers may be the one that needs it
    """

    ports: WorkflowPorts
    key: RunKey

    def enter(
        self, snapshot: RunSnapshot, program: Program, task: str, *, works: bool = True
    ) -> SlotState | None:
        """Acquire the slot for a task that works; one that only starts a wait needs none."""
        others = [one for one in snapshot.slot_state.waits if one != task] if snapshot.slot_state else []
        settled = self._answered(program, others) if others else set[str]()
        return self._move(snapshot.slot_state, lambda now: now.entered(task, settled, works=works))

    def wait(self, slot_state: SlotState | None, task: str) -> None:
        """Release the slot for a task that waits, unless another task of the run needs it."""
        self._move(slot_state, lambda now: now.opened(task))

    def resume(self, task: str) -> None:
        """Acquire a free slot for a run whose last wait is answered, before its machine goes on.

        The end of a child run has just released its own slot, and it is not announced yet.
        """
        seen = self.ports.slots.slot_state(self.key)
        if seen is None or seen.is_over or seen.slot is not None or seen.waits != (task,):
            return
        limits = self.ports.queue.slot_limits(self.key.tenant)
        with suppress(
            StoreConflict
        ):  # another took note of the answer, or the run has ended: its tasks see to it
            self.ports.slots.change(
                self.key, seen, seen.entered(task, (), works=False), limits, past_limit=False
            )

    def leave(self, slot_state: SlotState | None, task: str) -> None:
        """End a task's work; nothing is written where no other task waits."""
        if slot_state is not None and task in slot_state.works:
            self._move(self.ports.slots.slot_state(self.key), lambda now: now.left(task))

    def _answered(self, program: Program, tasks: list[str]) -> set[str]:
        """Return the waiting tasks that were answered since; no one else updates the slot state."""
        keys = [_key(one) for one in tasks]
        latches = {LatchKey(program.tasks[one.path].latch, one.at) for one in keys}
        found = self.ports.store.snapshot(self.key, sorted(latches, key=str), [])
        return {str(one) for one in found.records}

    def _move(self, seen: SlotState | None, to: Callable[[SlotState], SlotState]) -> SlotState | None:
        """Change the slot state, again where another task was faster, unless the run is over."""
        limits = self.ports.queue.slot_limits(self.key.tenant)
        for _ in range(_ATTEMPTS):
            if seen is None or seen.is_over:
                return seen
            after = to(seen)
            if after == seen and seen.needs_slot == (seen.slot is not None):
                return seen
            if self._write(seen, after, limits):
                has_moved = after.needs_slot != (seen.slot is not None)
                # Which slot it has now, only who wrote it knows.
                return self.ports.slots.slot_state(self.key) if has_moved else after
            seen = self.ports.slots.slot_state(self.key)
        raise StoreConflict(f"how {self.key.run} stands changes all the time.")

    def _write(self, seen: SlotState, after: SlotState, limits: SlotLimits) -> bool:
        try:
            freed = self.ports.slots.change(self.key, seen, after, limits)
        except StoreConflict:
            return False
        self.ports.queue.wake_waiting(freed, self.key.tenant)
        return freed.done


def _key(task: str) -> TaskKey:
    path, _, at = task.partition("@")
    return TaskKey(path=path, at=at)
