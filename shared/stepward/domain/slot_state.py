"""The slot of a workflow's run: held, waited for in the run queue, or returned while tasks wait.

A run holds a slot from its start. While any of its tasks waits for something else (a person, a call, another
run, a long time) it holds one only as long as a function works for it: what it waits for may need the slot to
finish.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from pydantic import BaseModel, ConfigDict

from stepward.domain.run_queue import Slot


class SlotState(BaseModel):
    """One state; `change` counts the changes, so that no two writers overwrite each other."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    change: int = 1
    slot: Slot | None = None
    place: str | None = None
    """The position in the run queue; the run's machine has not begun."""
    waits: tuple[str, ...] = ()
    """The tasks that wait for something outside."""
    works: tuple[str, ...] = ()
    """The tasks that a function works for while others wait."""
    is_over: bool = False

    @property
    def needs_slot(self) -> bool:
        """Whether any function may be working for the run."""
        return not self.is_over and (not self.waits or bool(self.works))

    @property
    def is_parked(self) -> bool:
        """Whether the run has begun, and returned its slot."""
        return self.slot is None and self.place is None and not self.is_over

    def entered(self, task: str, settled: Collection[str], *, works: bool) -> Self:
        """Return the state when a function begins to work for a task, and has seen others settled."""
        waits = tuple(one for one in self.waits if one != task and one not in settled)
        if not waits:
            return self._next(waits=(), works=())
        return self._next(waits=waits, works=_with(self.works, task) if works else self.works)

    def opened(self, task: str) -> Self:
        """Return the state when a task is about to wait."""
        return self._next(waits=_with(self.waits, task), works=_without(self.works, task))

    def left(self, task: str) -> Self:
        """Return the state when the function that worked for a task is done."""
        return self._next(works=_without(self.works, task))

    def admitted(self, slot: Slot) -> Self:
        """Return the state when the run has left the queue."""
        return self._next(slot=slot, place=None)

    def over(self) -> Self:
        """Return the state when the run has ended: nothing takes a slot for it any more."""
        return self._next(slot=None, place=None, waits=(), works=(), is_over=True)

    def _next(self, **changed: object) -> Self:
        if all(getattr(self, name) == value for name, value in changed.items()):
            return self
        return self.model_copy(update={**changed, "change": self.change + 1})


def _with(names: tuple[str, ...], one: str) -> tuple[str, ...]:
    return names if one in names else (*names, one)


def _without(names: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(name for name in names if name != one)
