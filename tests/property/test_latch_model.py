"""The protocol by which a join awaits its needs, tried in every order in which its writes and sends can happen.

One item holds the records of the needs and the token of who waits; all writes go to it, so one of them is the last:

    a writer:  write own record, get the whole item back -> all recorded and a token there? -> send it
    the join:  write the token, if a record is still missing -> wait;  nothing missing -> go on at once
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pytest

Phase = Literal["to look", "to write", "to send", "done"]


@dataclass(frozen=True)
class Protocol:
    """The protocol as it is; each field turned round is a mistake that the model must notice."""

    await_is_conditional: bool = True
    writer_looks_at_its_own_write: bool = True
    send_needs_every_record: bool = True
    late_writer_sends_again: bool = True
    await_times_out: bool = True


@dataclass(frozen=True)
class Bounds:
    """How much may happen: needs, whether each is invoked twice at once, crashes of writers, and sends that get lost."""

    needs: int
    twice: bool
    crashes: int
    lost_sends: int


class Writer(NamedTuple):
    """One invocation that records a need; `token` is the one that it will send, 0 for none.

    The second invocation of a need may come at any time, or not at all.
    """

    need: int
    phase: Phase
    token: int = 0
    is_second: bool = False


class World(NamedTuple):
    """What the item holds, where everybody is, and how much may still go wrong."""

    records: frozenset[int]
    token: int
    writers: tuple[Writer, ...]
    join: Literal["to register", "parked", "gone on"]
    registered: int
    sent: frozenset[int]
    crashes: int
    lost_sends: int
    early_timeouts: int


class Explorer:
    """Visits every world that can be reached, and notes what must not be."""

    def __init__(self, protocol: Protocol, bounds: Bounds) -> None:
        self._protocol, self._bounds = protocol, bounds
        self.violations: set[str] = set()
        self.seen: set[World] = set()

    def explore(self) -> Explorer:
        """Go on from every world in every way."""
        ahead = [self._start()]
        while ahead:
            world = ahead.pop()
            if world not in self.seen:
                self.seen.add(world)
                ahead.extend(self._next(world))
        return self

    def _start(self) -> World:
        first: Phase = "to write" if self._protocol.writer_looks_at_its_own_write else "to look"
        times = (False, True) if self._bounds.twice else (False,)
        writers = tuple(
            Writer(need, first, 0, second) for need in range(self._bounds.needs) for second in times
        )
        faults = (self._bounds.crashes, self._bounds.lost_sends)
        return World(frozenset(), 0, writers, "to register", 0, frozenset(), *faults, 1)

    def _next(self, world: World) -> list[World]:
        if world.join == "gone on" and not self._all_recorded(world.records):
            self.violations.add("early")
        after = [*self._writers_move(world), *self._join_moves(world)]
        if not after and world.join != "gone on":
            self.violations.add("never woken")
        return after

    def _all_recorded(self, records: frozenset[int]) -> bool:
        return len(records) == self._bounds.needs

    def _writers_move(self, world: World) -> Iterator[World]:
        for place, writer in enumerate(world.writers):
            for moved, after in self._writer_moves(writer, world):
                writers = (*world.writers[:place], moved, *world.writers[place + 1 :])
                yield after._replace(writers=writers)

    def _writer_moves(self, writer: Writer, world: World) -> Iterator[tuple[Writer, World]]:
        match writer.phase:
            case "to look":
                yield writer._replace(phase="to write", token=self._to_release(world, writer.need)), world
            case "to write":
                yield self._written(writer, world), world._replace(records=world.records | {writer.need})
            case "to send":
                yield from self._sends(writer, world)
        if writer.is_second and writer.phase == "to write":
            yield writer._replace(phase="done", token=0), world
        if writer.phase == "to send" and world.crashes:
            yield self._begun_again(writer), world._replace(crashes=world.crashes - 1)

    def _written(self, writer: Writer, world: World) -> Writer:
        is_late = writer.need in world.records
        token = writer.token
        if self._protocol.writer_looks_at_its_own_write:
            token = self._to_release(world, writer.need)
        if is_late and not self._protocol.late_writer_sends_again:
            token = 0
        return writer._replace(phase="to send", token=token)

    def _to_release(self, world: World, need: int) -> int:
        complete = self._all_recorded(world.records | {need})
        return world.token if complete or not self._protocol.send_needs_every_record else 0

    def _sends(self, writer: Writer, world: World) -> Iterator[tuple[Writer, World]]:
        done = writer._replace(phase="done", token=0)
        yield done, world._replace(sent=world.sent | ({writer.token} if writer.token else set()))
        if writer.token and world.lost_sends:
            yield done, world._replace(lost_sends=world.lost_sends - 1)

    def _begun_again(self, writer: Writer) -> Writer:
        looks = self._protocol.writer_looks_at_its_own_write
        return writer._replace(phase="to write" if looks else "to look", token=0)

    def _join_moves(self, world: World) -> Iterator[World]:
        if world.join == "to register":
            yield self._registered(world)
        if world.join == "parked" and world.registered in world.sent:
            yield world._replace(join="gone on")
        elif world.join == "parked" and self._protocol.await_times_out:
            yield from self._times_out(world)

    def _registered(self, world: World) -> World:
        if self._protocol.await_is_conditional and self._all_recorded(world.records):
            return world._replace(join="gone on")
        token = world.registered + 1
        return world._replace(join="parked", registered=token, token=token)

    def _times_out(self, world: World) -> Iterator[World]:
        """Once at any moment; after that when nothing else moves, which is when it must."""
        if world.early_timeouts:
            yield world._replace(join="to register", early_timeouts=world.early_timeouts - 1)
        elif all(writer.phase == "done" for writer in world.writers):
            yield world._replace(join="to register")


BOUNDS = [
    Bounds(needs, twice, crashes, lost)
    for needs in (1, 2, 3)
    for twice in (False, True)
    for crashes in (0, 1, 2)
    for lost in (0, 1, 2)
    if not (twice and needs == 3) and crashes + lost <= 2
]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_a_join_goes_on_when_all_is_recorded_and_never_before(bounds: Bounds) -> None:
    assert Explorer(Protocol(), bounds).explore().violations == set()


@pytest.mark.parametrize("bounds", [b for b in BOUNDS if not b.lost_sends], ids=str)
def test_crashes_alone_need_no_timeout(bounds: Bounds) -> None:
    assert Explorer(Protocol(await_times_out=False), bounds).explore().violations == set()


def test_many_orders_are_tried() -> None:
    tried = sum(len(Explorer(Protocol(), bounds).explore().seen) for bounds in BOUNDS)
    assert tried > 20_000


@pytest.mark.parametrize(
    ("mistake", "faults", "noticed"),
    [
        (Protocol(await_is_conditional=False, await_times_out=False), (0, 0), {"never woken"}),
        (Protocol(writer_looks_at_its_own_write=False, await_times_out=False), (0, 0), {"never woken"}),
        (Protocol(send_needs_every_record=False), (0, 0), {"early"}),
        (Protocol(late_writer_sends_again=False, await_times_out=False), (1, 0), {"never woken"}),
        (Protocol(await_times_out=False), (0, 1), {"never woken"}),
    ],
    ids=["no condition", "look before the write", "token alone", "late writer silent", "no timeout"],
)
def test_mistakes_are_noticed(mistake: Protocol, faults: tuple[int, int], noticed: set[str]) -> None:
    bounds = Bounds(2, False, *faults)
    assert Explorer(mistake, bounds).explore().violations == noticed
    assert Explorer(Protocol(), bounds).explore().violations == set()
