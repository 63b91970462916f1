"""Bound what a run takes of AWS and what that costs.

Sizes and times that only a run could tell lie between the smallest and the largest that the platform lets pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import ceil
from typing import Final

from stepward.domain.aws_prices import ROOM_MEMORY_MB, USD_MICROS_EACH
from stepward.domain.bounds import Bound, exactly, total
from stepward.domain.money import rounded_up
from stepward.domain.programs import PlannedTask, Program
from stepward.domain.retries import Retry
from stepward.domain.tools import Effect
from stepward.tasks.catalog import answered_by, asks_person, is_awaited, lets_time_pass, type_of
from stepward.tasks.facts import Step
from stepward.workflows.planner.costs import Money
from stepward.workflows.planner.usage_bounds import (
    BEGIN_AND_END_UNITS,
    SMALL_UNITS,
    VALUE_UNITS,
    EnteredState,
    SizeBounds,
)
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.program.limits import CRASHES_FORGIVEN, LOOK_READ_UNITS, MOST_UNDOINGS, SLICE_ITEMS
from stepward.workflows.program.tasks import can_be_undone, effect_of

TASK_RUN_MEMORY_MB: Final = ROOM_MEMORY_MB["task_run"]
CALL_MS: Final = Bound(least=15, expected=60, most=4_000)
"""Of a function that only evaluates and keeps."""
RECORD_UNITS: Final = Bound(least=1, expected=2)
LOOK_UNITS: Final = Bound(least=2, expected=4)
"""Of each write and each look, a unit of 1 KB and of 4 KB; how large they may become, the sizes say."""
START: Final = Bound(least=6, expected=7, most=14)
"""Items that a start writes: head, beginning, input, slot, two counters, and the record of an Idempotency-Key.

A run that stands in the queue writes its place with two flags, and takes its slot by six items later.
"""
SETTLING: Final = Bound(least=4, expected=6, most=7)
"""Items that an end writes: the output, head, costs, how the run stands, slot and counters."""
GOING_ON: Final = Bound(least=0, expected=5, most=7)
"""Items by which a run takes its slot, or gives it back: slot, two counters, how it stands, and the head with its lists."""


@dataclass(frozen=True)
class CostBounds:
    """Counts of one run."""

    program: Program
    states: list[EnteredState]
    rounds: IterationBounds

    @cached_property
    def transitions(self) -> Bound:
        """What Step Functions bills: each entered state, and each further try."""
        return total(one.tries for one in self.states)

    @cached_property
    def lambda_calls(self) -> Bound:
        """Functions of the platform: one a try of a task's state, those that bring answers, and the two of a start."""
        answers = (
            self.rounds.runs(path) * answered.calls
            for path, planned in self.program.tasks.items()
            if (answered := answered_by(planned.task))
        )
        start = Bound(least=0, expected=2, most=2)
        return total(one.tries for one in self.states if one.is_function) + total(answers) + start

    @cached_property
    def writes(self) -> Bound:
        """Writes of DynamoDB: one a task, one an await, and what begins, repeats and ends."""
        awaits = total(one.tries for one in self.states if one.is_await)
        tasks = total(self._writes_of(path, planned) for path, planned in self.program.tasks.items())
        right = Bound(least=1, expected=1, most=MOST_UNDOINGS) if can_be_undone(self.program) else Bound()
        undoing = Bound(most=self._undone) + right
        chunks = [one for one in self.states if one.is_chunk]
        # Each try keeps its token; the execution has a mark and an outcome.
        of_chunks = total(one.tries + one.times * exactly(2) for one in chunks)
        return START + tasks + awaits + SETTLING + undoing + of_chunks

    @cached_property
    def aws(self) -> Money:
        """All of it by the list price."""
        amounts = [self._usd_micros(which) for which in ("least", "expected", "most")]
        return Money(least_usd_micros=amounts[0], expected_usd_micros=amounts[1], most_usd_micros=amounts[2])

    @cached_property
    def _undone(self) -> int:
        """How many tasks are undone at most, their rounds counted."""
        tasks = self.program.tasks.items()
        return sum(self.rounds.of(path).most for path, planned in tasks if planned.task.compensate)

    def _writes_of(self, path: str, planned: PlannedTask) -> Bound:
        """The record with its word in further latches; what is kept besides depends on the type."""
        skipped, runs = self._writes_when_skipped(planned), self._writes_when_run(planned)
        if path in self.program.chunks:
            runs = runs + self.rounds.within(path).of_each(lambda items: ceil(items / SLICE_ITEMS))
        least = min(skipped, runs.least) if self.rounds.may_not_run(path) else runs.least
        each = Bound(least=least, expected=runs.expected, most=max(skipped, runs.most))
        return self.rounds.of(path) * each

    def _writes_when_skipped(self, planned: PlannedTask) -> int:
        # The state behind a wait or the rounds of a foreach finds the record and keeps it once more.
        return (1 + type_of(planned.task).keeps_later) * (1 + len(planned.marks))

    def _writes_when_run(self, planned: PlannedTask) -> Bound:
        record, kind = 1 + len(planned.marks), type_of(planned.task)
        attempts = (planned.task.retry or self.program.definition.retry or Retry()).attempts
        if is_awaited(planned.task):
            approval = 2 if asks_person(planned.task) else 0
            least = record + 2 + approval
            most = record + 1 + (4 + 2 * approval) * attempts
            return Bound(least=least, expected=least, most=most) + exactly(2 * attempts) * GOING_ON
        least = record + kind.begins + (Step.ITEMS in kind.steps)
        mark = int(effect_of(planned.task) is Effect.ONCE)
        return Bound(least=least, expected=least + mark, most=least + mark + 1) + self._beside_waits(attempts)

    def _beside_waits(self, attempts: int) -> Bound:
        """What a function writes that works while another task of its run may wait: it takes a slot for that time."""
        waits = any(lets_time_pass(one.task) for one in self.program.tasks.values())
        return Bound(most=2 * (attempts + CRASHES_FORGIVEN) * GOING_ON.most) if waits else Bound()

    def _usd_micros(self, which: str) -> int:
        counts = {
            "transitions": Decimal(_of(self.transitions, which)),
            "lambda_requests": Decimal(_of(self.lambda_calls, which)),
            "lambda_mb_ms": Decimal(self._mb_ms(which)),
            "write_units": Decimal(self._write_units(which)),
            "read_units": Decimal(self._looks(which)),
            "http_requests": Decimal(_of(Bound(expected=1, most=1), which)),
            "events": Decimal(self._events(which)),
        }
        return rounded_up(sum((n * USD_MICROS_EACH[name] for name, n in counts.items()), Decimal(0)))

    def _mb_ms(self, which: str) -> int:
        calls = [one for one in self.states if one.is_function]
        ms = sum(_of(one.tries, which) * _of(self._ms(one), which) for one in calls)
        extra = _of(self.lambda_calls, which) - sum(_of(one.tries, which) for one in calls)
        return TASK_RUN_MEMORY_MB * (ms + max(0, extra) * _of(CALL_MS, which))

    def _ms(self, state: EnteredState) -> Bound:
        """How long one call takes; a task that reaches out does so within it."""
        if not state.owner or state.is_await:
            return CALL_MS
        kind = type_of(self.program.tasks[state.owner].task)
        typical = kind.typical_ms if kind.calls_out else 0
        return Bound(
            least=CALL_MS.least,
            expected=CALL_MS.expected + typical,
            most=self._sizes.function_ms(state.owner),
        )

    @cached_property
    def _sizes(self) -> SizeBounds:
        return SizeBounds(self.program, self.rounds)

    def _write_units(self, which: str) -> int:
        """Each write by its size: at most the records are large, and what belongs to them is small."""
        if which != "most":
            return _of(self.writes, which) * _of(RECORD_UNITS, which)
        awaits = [one for one in self.states if one.is_await]
        large = sum(one.tries.most * self._sizes.await_units(one.owner) for one in awaits)
        counted = total(one.tries for one in awaits).most
        for path, planned in self.program.tasks.items():
            # What is kept again was there, and the write of it costs the same.
            records = self.rounds.of(path).most * (1 + type_of(planned.task).keeps_later)
            values = self.rounds.of(path).most * (not self._sizes.is_bounded(path))
            large += records * self._sizes.record_units(path) + values * VALUE_UNITS
            counted += records
        return large + max(0, self.writes.most - counted) * SMALL_UNITS + BEGIN_AND_END_UNITS

    def _looks(self, which: str) -> int:
        functions = [one for one in self.states if one.is_function]
        if which != "most":
            looking = [one for one in functions if not one.is_await]
            return sum(_of(one.tries, which) for one in looking) * _of(LOOK_UNITS, which)
        looks = sum(one.tries.most * self._sizes.look_units(one.owner) for one in functions if one.owner)
        tasks = self.program.tasks.items()
        ends = [path for path, planned in tasks if Step.ITEMS in type_of(planned.task).steps]
        wholes = (4 if self._undone else 2) + sum(self.rounds.of(path).most for path in ends)
        undoing = self._undone * LOOK_READ_UNITS
        return looks + wholes * self._sizes.everything_units + undoing + VALUE_UNITS

    def _events(self, which: str) -> int:
        tasks = self.program.tasks.items()
        put = (_of(self.rounds.runs(path), which) * type_of(one.task).puts_events for path, one in tasks)
        return sum(put) + 2


def _of(bound: Bound, which: str) -> int:
    number: int = getattr(bound, which)
    return number
