"""A compiled workflow version: what the functions need to execute its tasks.

The state machine holds only the order; everything that a task needs when its state is entered is here, read
once per process and version.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stepward.domain.workflows import TaskDefinition, WorkflowDefinition


class Frozen(BaseModel):
    """Programs never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Gate(Frozen):
    """A condition and the answer it must have had for the task to run."""

    condition: str
    answer: bool


class PlannedTask(Frozen):
    """One compiled task: `path` is its name, `depth` the number of bodies around it."""

    path: str
    depth: int = 0
    task: TaskDefinition
    needs: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    whens: tuple[str, ...] = ()
    """Its own condition and those of the groups around it."""
    reads: dict[str, str] = {}
    """The names in its expressions → the paths that they mean, of tasks or groups."""
    inner_reads: dict[str, str] = {}
    """Of a body: the same for expressions that are evaluated after a round."""
    way_reads: dict[str, str] = {}
    """Of a state machine's task: the same for the expressions of its transitions."""
    latch: str
    """The item with its record: its own, or one shared with the tasks that are awaited with it."""
    is_shared: bool = False
    marks: tuple[str, ...] = ()
    """Further latches that it notifies, of joins whose latch would have grown too large."""
    states: int = 1
    """How many states a run enters for it, with the parallels and awaits that lead to it."""
    functions: int = 1
    awaits: int = 0
    """How many of them call a function, and how many wait at a latch."""


class Awaited(Frozen):
    """A join that waits at a latch, and the tasks it waits for."""

    join: str
    needs: tuple[str, ...]


class Program(Frozen):
    """One version, compiled."""

    v: Literal[1] = 1
    definition: WorkflowDefinition
    tasks: dict[str, PlannedTask]
    groups: dict[str, dict[str, str]] = {}
    """A group's members: their ids → their paths."""
    bodies: dict[str, tuple[str, ...]] = {}
    """A body's tasks that no other in it needs: their outputs are a round's output."""
    latches: dict[str, tuple[Awaited, ...]] = {}
    output_reads: dict[str, str] = {}
    chunks: dict[str, int] = {}
    """A foreach that is too large for one history → how many of its items fit into one execution."""
    machine: str
    """The name of the state machine."""
    retries_timeouts: bool = False
    """Whether the machine lets each attempt of an awaited task run out of its time; those made before this was said
    let only the first one."""
