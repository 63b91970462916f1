"""Bound what a run writes: items, and the units that they are billed as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Final

from stepward.domain.bounds import ONE, Bound, exactly, total
from stepward.domain.footprint import (
    APPROVAL,
    APPROVAL_ASKED,
    APPROVAL_DECIDED,
    APPROVAL_TOLD,
    SLOT_MOVES,
    WORKFLOW_ENDS,
    WORKFLOW_STARTS,
    Units,
)
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.tools import Effect
from stepward.tasks.catalog import asks_person, is_awaited, lets_time_pass, type_of
from stepward.tasks.facts import beside
from stepward.workflows.planner.usage_bounds import SMALL_UNITS, VALUE_UNITS, EnteredState, SizeBounds
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.program.limits import CRASH_RETRIES, MOST_COMPENSATIONS, SLICE_ITEMS
from stepward.workflows.program.tasks import effect_of, has_compensations, retry_of

SMALL: Final = Bound(least=1, expected=2, most=SMALL_UNITS)
"""Units of one item; how large a record may become is in the sizes."""
FLAGS: Final = 2
"""Items that request a wake-up where no slot is free."""
STARTS: Final = Bound(least=WORKFLOW_STARTS.writes, expected=WORKFLOW_STARTS.writes + 1, most=14)
"""Items of a start, with the record of an Idempotency-Key.

A queued run writes its queue entry with two flags, and acquires its slot by six items later.
"""
ENDS: Final = Bound(least=4, expected=WORKFLOW_ENDS.writes - 1, most=WORKFLOW_ENDS.writes)


@dataclass(frozen=True)
class Writes:
    """A write that happens a number of times, with its items and units each time."""

    times: Bound
    items: Bound
    units: Bound


@dataclass(frozen=True)
class WriteBounds:
    """Bounds of one program's writes."""

    program: Program
    states: list[EnteredState]
    rounds: IterationBounds
    sizes: SizeBounds

    @cached_property
    def items(self) -> Bound:
        """The items written: one a task, one an await, and those of begins, iterations and ends."""
        return total(one.times * one.items for one in self._all)

    @cached_property
    def units(self) -> Bound:
        """The units that they are billed as."""
        return total(one.times * one.units for one in self._all)

    @cached_property
    def compensated(self) -> int:
        """How many tasks are compensated at most, with their iterations."""
        tasks = self.program.tasks.items()
        return sum(self.rounds.of(path).most for path, planned in tasks if planned.task.compensate)

    @cached_property
    def _all(self) -> list[Writes]:
        of_tasks = (self._of_task(path, planned) for path, planned in self.program.tasks.items())
        return [*self._of_run(), *(one for found in of_tasks for one in found), *self._of_states()]

    def _of_run(self) -> Iterator[Writes]:
        more = 2 * (STARTS.most - WORKFLOW_STARTS.writes) + 3 * VALUE_UNITS
        yield Writes(ONE, STARTS, _units(WORKFLOW_STARTS, more))
        yield Writes(ONE, ENDS, _units(WORKFLOW_ENDS))
        right = (
            Bound(least=1, expected=1, most=MOST_COMPENSATIONS)
            if has_compensations(self.program)
            else Bound()
        )
        yield Writes(Bound(most=self.compensated) + right, ONE, SMALL)

    def _of_states(self) -> Iterator[Writes]:
        for one in self.states:
            if one.is_await:
                units = Bound(least=1, expected=2, most=self.sizes.await_units(one.owner))
                yield Writes(one.tries, ONE, units)
            if one.is_chunk:
                # Each try keeps its token; the execution has a mark and an outcome.
                yield Writes(one.tries + one.times * exactly(2), ONE, SMALL)

    def _of_task(self, path: str, planned: PlannedTask) -> Iterator[Writes]:
        """Yield the writes of a task: its record, its marks, and what its type adds."""
        times, attempts = self.rounds.of(path), retry_of(self.program.definition, planned.task).attempts
        skipped, runs = self._when_skipped(planned), self._when_run(planned, attempts)
        if path in self.program.chunks:
            runs = runs + self.rounds.within(path).of_each(lambda items: ceil(items / SLICE_ITEMS))
        may_skip = self.rounds.may_not_run(path)
        items = Bound(
            least=min(skipped, runs.least) if may_skip else runs.least,
            expected=runs.expected,
            most=max(skipped, runs.most),
        )
        yield Writes(times, items, self._record_units(path, planned, items))
        moves = self._slot_moves(planned, attempts)
        yield Writes(
            times * moves,
            Bound(expected=SLOT_MOVES.writes, most=SLOT_MOVES.writes + FLAGS),
            Bound(expected=SLOT_MOVES.write_units, most=SLOT_MOVES.write_units + 2 * FLAGS),
        )
        if asks_person(planned.task):
            asked = Bound(least=0 if may_skip else 1, expected=1, most=attempts)
            told = (APPROVAL_ASKED + APPROVAL_DECIDED).writes
            most = (APPROVAL + APPROVAL_TOLD).writes
            yield Writes(
                times * asked,
                Bound(least=told, expected=told, most=most),
                _units(APPROVAL, APPROVAL_TOLD.write_units),
            )

    def _record_units(self, path: str, planned: PlannedTask, items: Bound) -> Bound:
        """Return the units of a task's items: at most the records are large, the rest is small."""
        # What is kept again was there, and the write of it costs the same.
        records = 1 + type_of(planned.task).records_later
        value = 0 if self.sizes.is_bounded(path) else VALUE_UNITS
        large = records * self.sizes.record_units(path) + value
        most = large + max(0, items.most - records) * SMALL_UNITS
        return Bound(least=items.least, expected=2 * items.expected, most=most)

    def _when_skipped(self, planned: PlannedTask) -> int:
        # The state behind a wait or the rounds of a foreach finds the record and keeps it once more.
        return (1 + type_of(planned.task).records_later) * (1 + len(planned.marks))

    def _when_run(self, planned: PlannedTask, attempts: int) -> Bound:
        record, kind = 1 + len(planned.marks), type_of(planned.task)
        if is_awaited(planned.task):
            # Each attempt has a mark and a token, and each after the first says since when it is entered.
            least = record + 2
            return Bound(least=least, expected=least, most=record + 1 + 4 * attempts)
        least = record + kind.begins + beside(kind.steps).writes
        mark = int(effect_of(planned.task) is Effect.ONCE)
        return Bound(least=least, expected=least + mark, most=least + mark + 1)

    def _slot_moves(self, planned: PlannedTask, attempts: int) -> Bound:
        """Return how often a slot is released or acquired.

        An awaited task waits without one. A function that works while another task of its run may wait acquires one for
        that time.
        """
        if is_awaited(planned.task):
            return exactly(2 * attempts)
        return Bound(most=2 * (attempts + CRASH_RETRIES)) if self._waits else Bound()

    @cached_property
    def _waits(self) -> bool:
        return any(lets_time_pass(one.task) for one in self.program.tasks.values())


def _units(effect: Units, more: int = 0) -> Bound:
    return Bound(least=effect.write_units, expected=effect.write_units, most=effect.write_units + more)
