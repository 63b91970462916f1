"""Slots, what a run draws from budgets, and the queue of runs that wait for a slot.

A tenant's queue is ordered by priority, then age, then run: its positions are texts that sort that way.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Priority = Literal["high", "normal", "low"]

_RANKS: Final[dict[str, int]] = {"resume": 0, "high": 1, "normal": 2, "low": 3}
RANK_NAMES: Final[dict[str, str]] = {str(rank): name for name, rank in _RANKS.items()}
RESUME: Final = "resume"
"""Runs that have begun go before all that have not: others wait for them."""


def queue_position(rank: Priority | Literal["resume"], since: str, run: str) -> str:
    """Return a queue position; positions are served in the order of their texts."""
    return f"{_RANKS[rank]}#{since}#{run}"


def position_again(position: str, seq: int) -> str:
    """Return the position of a run that returns to the queue: of the same age, never the same.

    A reader of the old position may remove that entry at any time, and must not remove the new one.
    """
    rank, since, run, *_ = position.split("#")
    return f"{rank}#{since}#{run}#{seq}"


def since_of(position: str) -> str:
    """Return since when a run waits at a position."""
    return position.split("#")[1]


def rank_of(position: str) -> str:
    """Return the priority of a position: resume, high, normal or low."""
    return RANK_NAMES[position.partition("#")[0]]


class Slot(BaseModel):
    """The right to be active, with the counter shards to which it is returned."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    tenant_shard: int = 0
    account_shard: int | None = 0
    """None: counted for the tenant alone, because it was taken where none was left."""


class Allowance(BaseModel):
    """Money that a run has drawn from budgets and may spend; `budgets` are their keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    usd_micros: int
    budgets: tuple[str, ...]


class RunBudget(BaseModel):
    """The budget of a workflow's run; agent runs within it draw from it and from the tenant's.

    `limit_usd_micros` is what it begins with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    key: str
    limit_usd_micros: int


class Draw(BaseModel):
    """What a run wants from budgets; `limits_usd_micros` has what each began with, in order."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    usd_micros: int
    budgets: tuple[str, ...]
    limits_usd_micros: tuple[int, ...]

    @property
    def allowance(self) -> Allowance:
        """What the run has once the draw has succeeded."""
        return Allowance(usd_micros=self.usd_micros, budgets=self.budgets)


class QueuedRun(BaseModel):
    """A run in its tenant's queue: its position, and the journal's last record when it joined."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True, defer_build=True)

    tenant: str
    run: str
    position: str = Field(alias="place")
    seq: int
    agent: str
    draw_usd_micros: int = 0
    epoch: int = 1
    charged: bool = Field(default=True, exclude_if=lambda charged: charged is True)
    """Whether it draws on the tenant's budgets."""
    workflow: str | None = None
    """The workflow, for a workflow's run; it then has no agent and no journal of records."""

    @property
    def is_resume(self) -> bool:
        """Whether the run had begun before, so that its machine waits with a token."""
        return rank_of(self.position) == RESUME


def shard_limit(total: int, shards: int, shard: int) -> int:
    """Divide a limit over its counters without losing a slot."""
    return total // shards + (1 if shard < total % shards else 0)


def used_shards(total: int, shards: int) -> int:
    """Count the shards that have a slot to give.

    A run that tried only the others would wait forever.
    """
    return min(total, shards)


class SlotState(BaseModel):
    """The slot of a workflow's run: held, queued for, or returned while tasks wait.

    A run holds a slot from its start. While any of its tasks waits for something else (a person, a call, another
    run, a long time) it holds one only as long as a function works for it: what it waits for may need the slot to
    finish. `change` counts the changes, so that no two writers overwrite each other.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True, defer_build=True
    )

    change: int = 1
    slot: Slot | None = None
    position: str | None = Field(default=None, alias="place")
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
        return self.slot is None and self.position is None and not self.is_over

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
        return self._next(slot=slot, position=None)

    def over(self) -> Self:
        """Return the state when the run has ended: nothing takes a slot for it any more."""
        return self._next(slot=None, position=None, waits=(), works=(), is_over=True)

    def _next(self, **changed: object) -> Self:
        if all(getattr(self, name) == value for name, value in changed.items()):
            return self
        return self.model_copy(update={**changed, "change": self.change + 1})


def _with(names: tuple[str, ...], one: str) -> tuple[str, ...]:
    return names if one in names else (*names, one)


def _without(names: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(name for name in names if name != one)
