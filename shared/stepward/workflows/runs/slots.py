"""Release a run's slot before a long wait, and acquire one after it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from stepward.domain.errors import StoreConflict
from stepward.domain.programs import Program
from stepward.domain.runs import RunKey
from stepward.domain.slot_state import SlotState
from stepward.domain.task_records import TaskKey
from stepward.ports.runs import SlotLimits
from stepward.ports.tasks import LatchKey, RunSnapshot
from stepward.workflows.runs.run_store import WorkflowPorts

LONG_S: Final = 30
"""A shorter wait keeps its slot: giving it back and taking it again would cost more than it frees."""
_ATTEMPTS: Final = 50
"""Tasks of one run that begin and end at the same moment change its standing one after another."""


@dataclass(frozen=True)
class RunSlot:
    """What one run does about its slot.

    time →   task: waits, slot given back ✓ ─ asks          answer: record ✓ ─ wakes          next task: slot taken ✓ ─ works
             the slot is given back before anybody is asked: the run that is to answer may be the one that needs it
    """

    ports: WorkflowPorts
    key: RunKey

    def enter(
        self, looked: RunSnapshot, program: Program, task: str, *, works: bool = True
    ) -> SlotState | None:
        """Begin to work for a task: the run has a slot from now on, unless this only asks somebody else."""
        others = [one for one in looked.standing.waits if one != task] if looked.standing else []
        settled = self._settled(program, others) if others else set[str]()
        return self._move(looked.standing, lambda now: now.entered(task, settled, works=works))

    def wait(self, stood: SlotState | None, task: str) -> None:
        """Return the slot back, as far as nothing else of the run needs it, because a task is about to wait."""
        self._move(stood, lambda now: now.opened(task))

    def resume(self, task: str) -> None:
        """Take a free slot for a run whose last waiting task is answered, before its machine goes on and takes any.

        Whoever ends a run within this one has just given its slot back, and nobody has been told of that slot yet.
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

    def leave(self, stood: SlotState | None, task: str) -> None:
        """Stop working for a task; nothing is written where no other task waits."""
        if stood is not None and task in stood.works:
            self._move(self.ports.slots.slot_state(self.key), lambda now: now.left(task))

    def _settled(self, program: Program, tasks: list[str]) -> set[str]:
        """Find who was answered since: nobody else takes note of it."""
        keys = [_key(one) for one in tasks]
        latches = {LatchKey(program.tasks[one.path].latch, one.at) for one in keys}
        found = self.ports.store.look(self.key, sorted(latches, key=str), [])
        return {str(one) for one in found.records}

    def _move(self, seen: SlotState | None, to: Callable[[SlotState], SlotState]) -> SlotState | None:
        """Change how the run stands, again where another task was faster; a run that is over stays as it is."""
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
