"""Bound what a run costs: money, the runs that it starts, and its use of AWS.

Sizes and times that are known only in a run lie between the smallest and the largest that the platform allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.domain.aws_costs import START_MS
from stepward.domain.aws_prices import ROOM_MEMORY_MB, USD_MICROS_EACH
from stepward.domain.bounds import Bound, exactly, total
from stepward.domain.footprint import LOOKS, UNDO_LOOKS, WORKFLOW_ENDS, WORKFLOW_STARTS
from stepward.domain.money import rounded_up
from stepward.domain.programs import Program
from stepward.tasks.catalog import answered_by, type_of
from stepward.tasks.facts import Answered, Step
from stepward.workflows.planner.usage_bounds import VALUE_UNITS, EnteredState, SizeBounds
from stepward.workflows.planner.write_bounds import WriteBounds
from stepward.workflows.program.iteration_bounds import IterationBounds


class Money(BaseModel):
    """Bounds of a cost in micro-dollars; None where it is unknown."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    least_usd_micros: int = 0
    expected_usd_micros: int | None = 0
    most_usd_micros: int | None = 0

    def __add__(self, other: Money) -> Money:
        """Return the sum; what is unknown of one is unknown of both."""
        return Money(
            least_usd_micros=self.least_usd_micros + other.least_usd_micros,
            expected_usd_micros=_sum(self.expected_usd_micros, other.expected_usd_micros),
            most_usd_micros=_sum(self.most_usd_micros, other.most_usd_micros),
        )

    def times(self, count: Bound) -> Money:
        """Return the cost of a number of runs."""
        return Money(
            least_usd_micros=self.least_usd_micros * count.least,
            expected_usd_micros=_product(self.expected_usd_micros, count.expected),
            most_usd_micros=_product(self.most_usd_micros, count.most),
        )

    def __str__(self) -> str:
        """Return it in dollars, for people."""
        if self.most_usd_micros == self.least_usd_micros:
            return dollars(self.least_usd_micros)
        if self.most_usd_micros is None:
            return f"{dollars(self.least_usd_micros)} or more"
        return f"{dollars(self.least_usd_micros)} to {dollars(self.most_usd_micros)}"


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _product(each: int | None, count: int) -> int | None:
    # Nothing of what is unknown is nothing: a branch that cannot be taken makes no plan uncertain.
    return 0 if count == 0 else None if each is None else each * count


def dollars(usd_micros: int) -> str:
    """Format an amount so that its first significant digits show."""
    amount = Decimal(usd_micros) / 1_000_000
    return f"${amount:,.2f}" if amount >= 1 else f"${amount.normalize():f}" if usd_micros else "$0"


UNKNOWN = Money(least_usd_micros=0, expected_usd_micros=None, most_usd_micros=None)


class Costs(Protocol):
    """Estimates the cost of runs, with AWS charges."""

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """Return the cost of an agent's run within a model limit; `UNKNOWN` without the agent."""

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """Return the cost of a workflow's run; `UNKNOWN` without the workflow."""


class UnknownCosts:
    """Costs for plans without a registry: all are unknown."""

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """Return an unknown cost, bounded by the limit."""
        del agent, version
        return UNKNOWN.model_copy(update={"most_usd_micros": limit_usd_micros})

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """Return an unknown cost."""
        del workflow, version
        return UNKNOWN


# The use of AWS.
TASK_RUN_MEMORY_MB: Final = ROOM_MEMORY_MB["task_run"]
CALL_MS: Final = Bound(least=15, expected=60, most=4_000)
"""Milliseconds of a function that only evaluates and records."""
LOOK_UNITS: Final = Bound(least=LOOKS.read_units, expected=4)
"""Read units of each look, of 4 KB; how many there may be is in the sizes."""


@dataclass(frozen=True)
class CostBounds:
    """Bounds of the AWS usage and cost of one run."""

    program: Program
    states: list[EnteredState]
    rounds: IterationBounds

    @cached_property
    def transitions(self) -> Bound:
        """The state transitions that are billed: each entered state, and each retry."""
        return total(one.tries for one in self.states)

    @cached_property
    def lambda_calls(self) -> Bound:
        """The function calls: one a try of a task's state, the answers, and those of a start."""
        answers = self._answered(lambda one: one.calls)
        start = Bound(least=0, expected=len(START_MS), most=len(START_MS))
        return total(one.tries for one in self.states if one.is_function) + answers + start

    @cached_property
    def writes(self) -> Bound:
        """The items that are written to DynamoDB."""
        return self._writes.items

    @cached_property
    def counts(self) -> dict[str, Bound]:
        """All billed usage, by the names that a bill has for it.

        A value in the bucket costs less than in its item, so it is counted there.
        """
        return {
            "transitions": self.transitions,
            "lambda_requests": self.lambda_calls,
            "lambda_mb_ms": _each(self._mb_ms),
            "write_units": self._writes.units,
            "read_units": _each(self._looks) + exactly(WORKFLOW_STARTS.read_units),
            "s3_gets": exactly(WORKFLOW_STARTS.s3_gets),
            "http_requests": Bound(expected=1, most=1) + self._answered(lambda one: one.requests),
            "events": exactly(WORKFLOW_ENDS.events) + self._events,
        }

    @cached_property
    def aws(self) -> Money:
        """The price of all usage."""
        amounts = [self._usd_micros(which) for which in ("least", "expected", "most")]
        return Money(least_usd_micros=amounts[0], expected_usd_micros=amounts[1], most_usd_micros=amounts[2])

    @cached_property
    def _sizes(self) -> SizeBounds:
        return SizeBounds(self.program, self.rounds)

    @cached_property
    def _writes(self) -> WriteBounds:
        return WriteBounds(self.program, self.states, self.rounds, self._sizes)

    def _answered(self, what: Callable[[Answered], Bound]) -> Bound:
        """Sum a count over all tasks that are answered from outside."""
        tasks = self.program.tasks.items()
        return total(
            self.rounds.runs(path) * what(answered)
            for path, planned in tasks
            if (answered := answered_by(planned.task))
        )

    def _usd_micros(self, which: str) -> int:
        amounts = (Decimal(_of(bound, which)) * USD_MICROS_EACH[name] for name, bound in self.counts.items())
        return rounded_up(sum(amounts, Decimal(0)))

    def _mb_ms(self, which: str) -> int:
        calls = [one for one in self.states if one.is_function]
        ms = sum(_of(one.tries, which) * _of(self._ms(one), which) for one in calls)
        extra = _of(self.lambda_calls, which) - sum(_of(one.tries, which) for one in calls)
        return TASK_RUN_MEMORY_MB * (ms + max(0, extra) * _of(CALL_MS, which))

    def _ms(self, state: EnteredState) -> Bound:
        """Return the duration of one call, with the external call that a task makes in it."""
        if not state.owner or state.is_await:
            return CALL_MS
        kind = type_of(self.program.tasks[state.owner].task)
        typical = kind.typical_ms if kind.calls_out else 0
        return Bound(
            least=CALL_MS.least,
            expected=CALL_MS.expected + typical,
            most=self._sizes.function_ms(state.owner),
        )

    def _looks(self, which: str) -> int:
        functions = [one for one in self.states if one.is_function]
        if which != "most":
            looks = sum(_of(one.tries, which) for one in functions if not one.is_await)
            # A state machine's tasks read all that there is yet, which may be a unit.
            reads_all = which == "least" and self.program.definition.is_state_machine
            return looks * (1 if reads_all else _of(LOOK_UNITS, which))
        looks = sum(one.tries.most * self._sizes.look_units(one.owner) for one in functions if one.owner)
        tasks = self.program.tasks.items()
        ends = [path for path, planned in tasks if Step.ITEMS in type_of(planned.task).steps]
        compensated = self._writes.compensated
        wholes = (4 if compensated else 2) + sum(self.rounds.of(path).most for path in ends)
        compensations = compensated * UNDO_LOOKS.read_units
        return looks + wholes * self._sizes.everything_units + compensations + VALUE_UNITS

    @property
    def _events(self) -> Bound:
        tasks = self.program.tasks.items()
        return total(self.rounds.runs(path) * exactly(type_of(one.task).puts_events) for path, one in tasks)


def _each(count: Callable[[str], int]) -> Bound:
    return Bound(least=count("least"), expected=count("expected"), most=count("most"))


def _of(bound: Bound, which: str) -> int:
    number: int = getattr(bound, which)
    return number
