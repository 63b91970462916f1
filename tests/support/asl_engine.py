"""Carries state machines by their text in virtual time: the part of the Amazon States Language that workflows become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from stepward.ports.clock import iso
from tests.support.asl_values import Said, caught, output_of_state, pause_before_retry_s
from tests.support.virtual_time import EventLoop, StateFailed, Strand, Ticket, Wait

States = Generator[Wait, Any, Any]


class Rooms(Protocol):
    """What the machine's tasks reach."""

    def invoke(self, function: str, payload: dict[str, Any], ticket: Ticket) -> None:
        """Call a function, whose end answers the ticket."""

    def write(self, arguments: dict[str, Any]) -> bool:
        """Make a conditional write; False if the condition failed."""


@dataclass(frozen=True)
class Entered:
    """A state was entered."""

    at_s: float
    state: str
    given: Any


@dataclass
class Execution:
    """One execution: its history, and how it ended."""

    engine: AslEngine
    machine: dict[str, Any]
    given: Any
    name: str
    entered: list[Entered] = field(default_factory=list)
    status: str = "RUNNING"
    output: Any = None
    error: StateFailed | None = None
    ended_at_s: float | None = None
    strand: Strand | None = None

    @property
    def _told(self) -> dict[str, Any]:
        return {"Input": self.given, "Name": self.name}

    def begin(self) -> None:
        self.strand = Strand(self.engine.loop, self._lines(self.machine, self.given), self._ended)
        self.engine.loop.later(self.machine["TimeoutSeconds"], lambda: self.stop("TIMED_OUT"))

    def stop(self, status: str = "ABORTED") -> None:
        if self.status == "RUNNING" and self.strand:
            self.strand.stop()
            self.status, self.ended_at_s = status, self.engine.loop.now_s

    def _ended(self, output: Any, error: Exception | None) -> None:
        self.status = "FAILED" if error else "SUCCEEDED"
        self.output, self.error = output, error if isinstance(error, StateFailed) else None
        self.ended_at_s = self.engine.loop.now_s

    def _lines(self, machine: dict[str, Any], given: Any) -> States:
        name, value = machine["StartAt"], given
        while name:
            state = machine["States"][name]
            self.entered.append(Entered(self.engine.loop.now_s, name, value))
            value, name = yield from self._state(name, state, value)
        return value

    def _state(
        self, name: str, state: dict[str, Any], given: Any
    ) -> Generator[Wait, Any, tuple[Any, str | None]]:
        said = Said(self._told, name, given, iso(self.engine.loop.now()))
        tried: Counter[int] = Counter()
        while True:
            try:
                result = yield from self._once(state, said)
            except StateFailed as failure:
                pause_s = pause_before_retry_s(state, failure, tried, self.engine.loop)
                if pause_s is not None:
                    yield lambda ticket, pause_s=pause_s: self._sleep(pause_s, ticket)
                    said.tries += 1
                    continue
                return caught(state, failure, said)
            following = result[1] if state["Type"] == "Choice" else state.get("Next")
            output = result[0] if state["Type"] == "Choice" else output_of_state(state, said, result)
            assert following or state.get("End") or state["Type"] == "Succeed", f"{name} leads nowhere"
            return output, following

    def _once(self, state: dict[str, Any], said: Said) -> States:
        match state["Type"]:
            case "Task":
                result = yield lambda ticket: self._task(state, said, ticket)
            case "Parallel":
                lines = [(branch, said.given) for branch in state["Branches"]]
                result = yield lambda ticket: _Beside(self, lines, len(lines), ticket).begin()
            case "Map":
                items = said.value(state["Items"])
                lines = [(state["ItemProcessor"], item) for item in items]
                most = state.get("MaxConcurrency") or len(lines)
                result = yield lambda ticket: _Beside(self, lines, min(most, 40), ticket).begin()
            case "Wait":
                seconds = said.value(state["Seconds"])
                result = yield lambda ticket: self._sleep(seconds, ticket)
            case "Choice":
                return self._choose(state, said)
            case "Pass" | "Succeed":
                return said.given
            case other:
                raise AssertionError(f"no machine of ours has a {other}")
        return result

    def _choose(self, state: dict[str, Any], said: Said) -> tuple[Any, str]:
        for choice in state["Choices"]:
            holds = said.value(choice["Condition"])
            if not isinstance(holds, bool):
                raise StateFailed("States.QueryEvaluationError", f"{holds!r} is no truth value")
            if holds:
                return output_of_state(choice if "Output" in choice else state, said, said.given), choice[
                    "Next"
                ]
        return output_of_state(state, said, said.given), state["Default"]

    def _task(self, state: dict[str, Any], said: Said, ticket: Ticket) -> None:
        waits = state["Resource"].endswith(".waitForTaskToken")
        said.token = f"token-{next(self.engine.numbers)}" if waits else None
        if said.token:
            self.engine.waiting[said.token] = ticket
        arguments = said.value(state["Arguments"])
        self.engine.loop.later(said.value(state["TimeoutSeconds"]), lambda: ticket.fail("States.Timeout"))
        if ":lambda:invoke" in state["Resource"]:
            # A function's answer ends the state only where no token does; its failure ends it always.
            told = _Silent(ticket) if waits else ticket
            self.engine.rooms.invoke(arguments["FunctionName"], arguments["Payload"], told)  # type: ignore[arg-type]
        else:
            assert state["Resource"] == "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
            self.engine.loop.later(self.engine.write_s(), lambda: self._write(arguments, ticket))

    def _write(self, arguments: dict[str, Any], ticket: Ticket) -> None:
        # A write that was sent is made, even if its state has ended meanwhile.
        if not self.engine.rooms.write(arguments):
            ticket.fail("DynamoDb.ConditionalCheckFailedException")

    def _sleep(self, seconds: float, ticket: Ticket) -> None:
        self.engine.loop.later(seconds, lambda: ticket.answer(None))


class _Silent:
    """A ticket that a function's good answer does not use."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self.fail = ticket.fail

    def answer(self, value: Any) -> bool:
        del value
        return False


class _Beside:
    """Lines of states side by side, so many at once; the first failure ends all."""

    def __init__(self, execution: Execution, lines: list[tuple[Any, Any]], most: int, ticket: Ticket) -> None:
        self._execution, self._lines, self._most, self._ticket = execution, lines, most, ticket
        self._results: list[Any] = [None] * len(lines)
        self._ended = 0
        self._ahead = list(range(len(lines)))
        self._open: list[Strand] = []

    def begin(self) -> None:
        if not self._lines:
            self._ticket.answer([])
        for _ in range(min(self._most, len(self._lines))):
            self._next()

    def _next(self) -> None:
        if self._ahead and self._ticket.is_open:
            number = self._ahead.pop(0)
            steps = self._execution._lines(*self._lines[number])
            strand = Strand(
                self._execution.engine.loop, steps, lambda value, error: self._over(number, value, error)
            )
            self._open.append(strand)
            self._ticket.strand.opened(strand)

    def _over(self, number: int, value: Any, error: Exception | None) -> None:
        if isinstance(error, StateFailed):
            for strand in self._open:
                strand.stop()
            self._ticket.fail(error.error, error.cause)
            return
        self._results[number] = value
        self._ended += 1
        if self._ended == len(self._lines):
            self._ticket.answer(self._results)
        else:
            self._next()


class AslEngine:
    """All executions, and the tokens that they wait with."""

    def __init__(self, loop: EventLoop, rooms: Rooms, write_s: Callable[[], float] = lambda: 0.0) -> None:
        self.loop, self.rooms, self.write_s = loop, rooms, write_s
        self.executions: dict[str, Execution] = {}
        self.waiting: dict[str, Ticket] = {}
        self.numbers = count(1)

    def start(self, machine: dict[str, Any], name: str, given: dict[str, Any]) -> Execution:
        """Start an execution; the same name twice is one start."""
        if name not in self.executions:
            self.executions[name] = Execution(self, machine, given, name)
            self.executions[name].begin()
        return self.executions[name]

    def answer(self, token: str) -> bool:
        return self.waiting[token].answer({})

    def refuse(self, token: str, error: str, cause: str) -> bool:
        return self.waiting[token].fail(error, cause)
