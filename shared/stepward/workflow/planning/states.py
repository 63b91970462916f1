"""Counts what one run enters of its state machine, from the machine as it was compiled, so that no second rule can differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stepward.domain.programs import Program
from stepward.workflow.compiling.counting import all_states, first_states, is_await, is_function
from stepward.workflow.limits import RETRIED_BY_RULE
from stepward.workflow.planning.bounds import ONE, Bound, total
from stepward.workflow.planning.rounds import Rounds
from stepward.workflow.program_tasks import can_be_undone
from stepward.workflow.state_names import SETTLE, WHICH, Part, is_part, owner_of, state_name

State = dict[str, Any]


@dataclass(frozen=True)
class Entered:
    """One state of the machine with how often a run enters it; `owner` is the task that it is for, "" for the first and the last."""

    name: str
    owner: str
    state: State
    times: Bound

    @property
    def is_function(self) -> bool:
        """Whether a function is called in it."""
        return is_function(self.state)

    @property
    def is_await(self) -> bool:
        """Whether it waits at a latch."""
        return is_await(self.state)

    @property
    def is_chunk(self) -> bool:
        """Whether it waits for an execution of some items."""
        return bool(self.owner) and is_part(self.name, Part.CHUNK)

    @property
    def is_jittered(self) -> bool:
        """Whether chance shortens the pauses that the machine makes before it is tried again."""
        return any("JitterStrategy" in one for one in self.state.get("Retry", ()))

    @cached_property
    def tries(self) -> Bound:
        """How often it is tried in all: by the document's rules, and where a wait is renewed; not for the platform's faults."""
        again = sum(
            one.get("MaxAttempts", 0)
            for one in self.state.get("Retry", ())
            if self.is_await or self.is_chunk or any(name in RETRIED_BY_RULE for name in one["ErrorEquals"])
        )
        return self.times * Bound(least=1, expected=1, most=1 + again)


def entered(program: Program, machine: dict[str, Any]) -> list[Entered]:
    """Give all states, those of branches and bodies too.

    All states of a scope are entered once a round of it, whatever happens to its tasks: a task that is skipped is skipped
    within its state. Only bodies repeat, and the state that begins a loop is entered once more than there are rounds. The
    executions of chunks count as the run's own: each asks what it is to run, runs it, and is settled; so does the one that
    undoes a run whose time was over, which is refused in its first states and settled.
    """
    rounds = Rounds(program)
    executions = total(rounds.of(path) * rounds.chunks(path) for path in program.chunks)
    undoing = {*first_states(machine), SETTLE} if can_be_undone(program) else set()
    found: list[Entered] = []
    for name, state in all_states(machine):
        owner = owner_of(name, program.tasks)
        times = rounds.of(owner) if owner else ONE
        if owner in program.chunks and is_part(name, Part.CHUNK, Part.ITEMS):
            times = times * rounds.chunks(owner)
        elif name in (WHICH, SETTLE):
            times = times + executions
        if owner and _asks_again(program, owner, name):
            times = times * (rounds.within(owner) + ONE)
        found.append(Entered(name, owner, state, times + Bound(most=int(name in undoing))))
    return found


def _asks_again(program: Program, owner: str, name: str) -> bool:
    return program.tasks[owner].task.type == "loop" and name in (owner, state_name(owner, Part.AGAIN))
