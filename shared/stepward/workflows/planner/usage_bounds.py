"""Bound how many states a run enters, and how much it reads and writes.

The output of a fixed text has its own size, a condition's answer a few bytes; any other may fill an item.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, Final

from pydantic import ValidationError

from stepward.domain.bounds import ONE, Bound, total
from stepward.domain.errors import InvalidRequest
from stepward.domain.footprint import LOOKS, TOKEN_BYTES
from stepward.domain.programs import PlannedTask, Program
from stepward.expressions.evaluate import TIMEOUT_MS, expressions_in
from stepward.tasks.catalog import settings_of, type_of
from stepward.workflows.compiler.machine_size import all_states, first_states, is_await, is_function
from stepward.workflows.compiler.states import State
from stepward.workflows.program.iteration_bounds import IterationBounds
from stepward.workflows.program.limits import OWN_BYTES, RETRIED_BY_RULE, SHARED_BYTES
from stepward.workflows.program.names import SETTLE, WHICH, Part, is_part, owner_of, state_name
from stepward.workflows.program.tasks import has_compensations, retry_of

# States that a run enters.


@dataclass(frozen=True)
class EnteredState:
    """A state of the machine, with how often a run enters it.

    `owner` is the task that it belongs to, "" for the first and the last.
    """

    name: str
    owner: str
    state: State
    times: Bound

    @property
    def is_function(self) -> bool:
        """Whether it calls a function."""
        return is_function(self.state)

    @property
    def is_await(self) -> bool:
        """Whether it waits at a latch."""
        return is_await(self.state)

    @property
    def is_chunk(self) -> bool:
        """Whether it waits for the execution of a chunk."""
        return bool(self.owner) and is_part(self.name, Part.CHUNK)

    @property
    def is_jittered(self) -> bool:
        """Whether jitter shortens the pauses before the machine's retries."""
        return any("JitterStrategy" in one for one in self.state.get("Retry", ()))

    @cached_property
    def tries(self) -> Bound:
        """How often it is tried, by the document's rules and renewed waits.

        Retries for the platform's own faults do not count.
        """
        again = sum(
            one.get("MaxAttempts", 0)
            for one in self.state.get("Retry", ())
            if self.is_await or self.is_chunk or any(name in RETRIED_BY_RULE for name in one["ErrorEquals"])
        )
        return self.times * Bound(least=1, expected=1, most=1 + again)


def entered_states(program: Program, machine: dict[str, Any]) -> list[EnteredState]:
    """Return all states of a machine with how often a run enters them.

    All states of a scope are entered once an iteration, whatever happens to its tasks: a task is skipped within its
    state. Only bodies repeat, and the state that begins a loop is entered once more than there are iterations. The
    executions of chunks count as the run's own: each asks what to run, runs it, and is finalized. So does the one that
    compensates a run whose time was over, which fails in its first states and is finalized.
    """
    rounds = IterationBounds(program)
    executions = total(rounds.of(path) * rounds.chunks(path) for path in program.chunks)
    compensations = {*first_states(machine), SETTLE} if has_compensations(program) else set()
    found: list[EnteredState] = []
    for name, state in all_states(machine):
        owner = owner_of(name, program.tasks)
        times = rounds.of(owner) if owner else ONE
        if owner in program.chunks and is_part(name, Part.CHUNK, Part.ITEMS):
            times = times * rounds.chunks(owner)
        elif name in (WHICH, SETTLE):
            times = times + executions
        if owner and _asks_again(program, owner, name):
            times = times * (rounds.within(owner) + ONE)
        found.append(EnteredState(name, owner, state, times + Bound(most=int(name in compensations))))
    return found


def _asks_again(program: Program, owner: str, name: str) -> bool:
    return type_of(program.tasks[owner].task).is_sequential and name in (owner, state_name(owner, Part.AGAIN))


# Sizes of writes and reads.


RECORD_BYTES: Final = 700
"""Bytes of a record without its output or its error."""
ERROR_BYTES: Final = 4_000
"""Bytes of an error: 1,000 characters of detail at most, of four bytes each."""
KEEPING_MS: Final = 2_000
"""Upper bound of a function's reads and writes, together with its own work."""
LONGEST_MS: Final = 300_000
"""The longest that the function may run, whatever the task calls."""
VALUE_UNITS: Final = 100
"""Units of a value in an item; a larger one goes to the bucket, which costs less."""
SMALL_UNITS: Final = 2
"""Units of a mark or a token."""


@dataclass(frozen=True)
class SizeBounds:
    """Upper bounds of the sizes of one program's records and reads."""

    program: Program
    rounds: IterationBounds

    def is_bounded(self, path: str) -> bool:
        """Return whether the document determines how large a task's output is."""
        return self._output_bytes(self.program.tasks[path]) < OWN_BYTES

    def record_units(self, path: str) -> int:
        """Return the units of writing a task's record, with all that is in its item."""
        return ceil(self._latch_bytes[self.program.tasks[path].latch] / 1024)

    def await_units(self, path: str) -> int:
        """Return the units of writing the await before a task."""
        needed = {self.program.tasks[need].latch for need in self.program.tasks[path].needs}
        return max((ceil(self._latch_bytes[latch] / 1024) for latch in needed), default=SMALL_UNITS)

    def look_units(self, path: str) -> int:
        """Return the units of reading a task's view, with the values that it may ask for."""
        planned = self.program.tasks[path]
        if self.program.definition.is_state_machine:
            return self.everything_units
        wanted = {path, *planned.needs, *self._read_by(planned)}
        latches = {self.program.tasks[one].latch for one in wanted}
        values = 2 + len(self._read_by(planned))
        return (
            LOOKS.read_units
            + sum(ceil(self._latch_bytes[one] / 4096) for one in latches)
            + values * VALUE_UNITS // 4
        )

    @cached_property
    def everything_units(self) -> int:
        """The units of reading all records of a run."""
        records = sum(
            self.rounds.of(path).most * self._bytes(planned) for path, planned in self.program.tasks.items()
        )
        return 1 + ceil(records / 4096)

    def function_ms(self, path: str) -> int:
        """Return the longest duration of a task's function, by its expressions and its tool."""
        task = self.program.tasks[path].task
        whens = self.program.tasks[path].whens
        said = sum(1 for _ in expressions_in([task.inputs, task.settings, list(whens)]))
        said += sum(way.when is not None for way in task.next) + (task.fallback is not None)
        return min(LONGEST_MS, KEEPING_MS + said * TIMEOUT_MS + self._outside_ms(path))

    def _outside_ms(self, path: str) -> int:
        planned = self.program.tasks[path]
        try:
            tool = type_of(planned.task).tool(settings_of(planned.task))
            once_s = (planned.task.timeout_s or tool.timeout_s) if tool else 0
        except (InvalidRequest, ValidationError):
            return LONGEST_MS
        return ceil(1000 * retry_of(self.program.definition, planned.task).longest_s(once_s)) if tool else 0

    @cached_property
    def _latch_bytes(self) -> dict[str, int]:
        """The largest sizes of the items that hold records, marks and tokens."""
        found: dict[str, int] = defaultdict(lambda: RECORD_BYTES)
        for planned in self.program.tasks.values():
            found[planned.latch] += self._bytes(planned)
            for mark in planned.marks:
                found[mark] += len(planned.path) + 8
        for latch, waiting in self.program.latches.items():
            found[latch] += len(waiting) * TOKEN_BYTES
        return found

    def _bytes(self, planned: PlannedTask) -> int:
        most = SHARED_BYTES if planned.is_shared else OWN_BYTES
        return RECORD_BYTES + max(ERROR_BYTES, min(most, self._output_bytes(planned)))

    def _output_bytes(self, planned: PlannedTask) -> int:
        task = planned.task
        if task.fallback is not None:
            return OWN_BYTES
        known = type_of(task).output_bytes(task)
        return OWN_BYTES if known is None else known

    def _read_by(self, planned: PlannedTask) -> list[str]:
        """Return the tasks whose outputs a task reads and whose sizes are unknown."""
        paths = {*planned.reads.values(), *planned.inner_reads.values()}
        return sorted(path for path in paths if path in self.program.tasks and not self.is_bounded(path))
