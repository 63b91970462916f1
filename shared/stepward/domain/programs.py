"""A program is what a workflow's version became when it was compiled: what the rooms must know to carry its tasks.

The state machine holds the order and nothing else; everything that a task needs when its state is entered stands here,
read once a process and version.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stepward.domain.workflows import TaskDefinition, WorkflowDefinition


class Frozen(BaseModel):
    """Programs never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Gate(Frozen):
    """A condition that must have been answered so for the task to run."""

    condition: str
    answer: bool


class PlannedTask(Frozen):
    """One task as it is carried: `path` is its name, `depth` the number of bodies around it."""

    path: str
    depth: int = 0
    task: TaskDefinition
    needs: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    whens: tuple[str, ...] = ()
    """Its own condition and those of the groups that it is in."""
    reads: dict[str, str] = {}
    """The names that its expressions say → the paths that they mean, of tasks or groups."""
    inner_reads: dict[str, str] = {}
    """Of a body: the same for what is evaluated after a round."""
    way_reads: dict[str, str] = {}
    """Of a state machine's task: the same for what says where to go on."""
    latch: str
    """The item that keeps its record: its own, or one that it shares with those who are awaited with it."""
    is_shared: bool = False
    marks: tuple[str, ...] = ()
    """Further items in which it leaves word, of joins whose latch would have grown too large."""
    states: int = 1
    """How many states a run enters for it, with the parallels and awaits that lead to it."""
    functions: int = 1
    awaits: int = 0
    """How many of them call a function, and how many wait at a latch."""


class Awaited(Frozen):
    """Who waits at a latch, and for which tasks."""

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
    """A body's tasks that nobody in it needs: their outputs are what a round brings."""
    latches: dict[str, tuple[Awaited, ...]] = {}
    output_reads: dict[str, str] = {}
    chunks: dict[str, int] = {}
    """A foreach that is too large for one history → how many of its items one execution has room for."""
    machine: str
    """The name of the state machine."""
    retries_timeouts: bool = False
    """Whether the machine lets each attempt of an awaited task run out of its time; those made before this was said
    let only the first one."""
