"""Kills the process that makes the n-th write of a run, just before the write or just after it, or that hears a model."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from infra.local.bench.kills.relay import Relay
from infra.local.engine.dynamodb import actions
from infra.local.engine.dynamodb.actions import Action, Answer
from infra.local.faults import UnusableOption
from infra.local.laptop import Laptop

When = Literal["before", "after", "within"]
OF_WRITES: tuple[When, ...] = ("before", "after")
WITHIN: When = "within"
"""Within the stream of a model's reply: then it is model calls that are counted."""
_ASKING: Final = "agent_advance"
"""The one function that calls models."""
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})
_BESIDE = frozenset({"janitor", "authorizer"})
"""Functions whose writes are no part of a run: they come when they come."""
_NEVER_SEEN: Answer = (500, {}, "{}")


@dataclass(frozen=True)
class Kill:
    """One place at which a process is killed.

    Around the n-th write of a run of a shape, or in the stream of its n-th reply.
    """

    shape: str
    when: When
    write: int

    def __str__(self) -> str:
        return f"{self.shape}:{self.when}:{self.write}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one as it is written; raises `UnusableOption`."""
        found = re.fullmatch(r"([\w-]+):(before|after|within):([1-9]\d{0,4})", text)
        if found is None:
            raise UnusableOption(
                f"{text!r} names no kill: give SHAPE:before:WRITE, SHAPE:after:WRITE or SHAPE:within:CALL"
            )
        shape, when, write = found.groups()
        whens: dict[str, When] = {one: one for one in (*OF_WRITES, WITHIN)}
        return cls(shape, whens[when], int(write))


@dataclass
class Killer:
    """Observe DynamoDB and kill at a place; without one, count only.

    `writes` are the functions of all writes that it saw.
    """

    laptop: Laptop
    kill: Kill | None = None
    writes: list[str] = field(default_factory=list)
    killed: str | None = None

    def observe(self, handler: Any, action: Action) -> Answer:
        """Count a run's writes and strike at the chosen one."""
        function = self.laptop.executor.short_name_of(handler.access_key)
        operation = str(handler._get_action())  # noqa: SLF001 - the action's own name
        if operation not in _WRITES or function is None or function in _BESIDE:
            return self.laptop.meter.observe(handler, action)
        self.writes.append(function)
        if self.kill is None or self.kill.when == WITHIN or len(self.writes) != self.kill.write:
            return self.laptop.meter.observe(handler, action)
        answer = _NEVER_SEEN if self.kill.when == "before" else self.laptop.meter.observe(handler, action)
        self._strike(handler.access_key, function)
        return answer

    def hear(self, call: int) -> None:
        """Strike at those who ask models, if the reply to the chosen call has begun."""
        if self.kill is not None and self.kill.when == WITHIN and call == self.kill.write:
            for pid in self.laptop.executor.pids_of(_ASKING):
                self._end(pid, _ASKING)

    def _strike(self, access_key: str, function: str) -> None:
        pid = self.laptop.executor.pid_of(access_key)
        if pid is not None:
            self._end(pid, function)

    def _end(self, pid: int, function: str) -> None:
        self.killed = function
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def killing(laptop: Laptop, kill: Kill | None = None, relay: Relay | None = None) -> Iterator[Killer]:
    """Let one kill happen within the block; `relay` tells of model calls."""
    killer = Killer(laptop, kill)
    actions.observe(killer.observe)
    if relay:
        relay.within = killer.hear
    try:
        yield killer
    finally:
        actions.observe(laptop.meter.observe)
