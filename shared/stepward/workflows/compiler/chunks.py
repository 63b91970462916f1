"""Divide a foreach too large for one history into chunks, and write their states.

A run begins as without chunks. An execution whose input has a `chunk` runs that foreach's items from the first to the
last instead, and is finalized like a run; the state that waits for it is in the run's execution. Chunks are sized so
that the events of each execution fit its history: every item, iteration and retry by a rule counts. Retries for the
platform's own faults are unknown; a fifth of the history is reserved for them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Any, Final

from stepward.domain.chunks import count_chunks, lanes_of
from stepward.domain.programs import Program
from stepward.domain.retries import Retry
from stepward.tasks.catalog import settings_of, type_of
from stepward.workflows.compiler import states
from stepward.workflows.compiler.machine_size import is_await
from stepward.workflows.compiler.states import Named, State
from stepward.workflows.program.iteration_bounds import (
    at_once,
    rounds_of,
    visits_of,
)
from stepward.workflows.program.limits import (
    AWAIT_FAULT_RETRIES,
    AWAIT_RETRY_S,
    EVENTS_OF_ROUND,
    PLANNED_EVENTS,
    RETRIED_BY_RULE,
)
from stepward.workflows.program.names import SETTLE, WHICH, Part, path_of, state_name
from stepward.workflows.program.tasks import body_of

_ROUNDS: Final = (
    "{% [[$states.input.chunk.first..$states.input.chunk.last]"
    ".{'at': $states.input.chunk.rounds & '[' & $string($) & ']'}] %}"
)


def chunks_state(path: str, max_parallel: int, *, nested: bool, timeout_s: int) -> Named:
    """Return the Map that runs the chunks of a foreach, a few in parallel."""
    chunk = state_name(path, Part.CHUNK)
    each = {
        "Type": "Map",
        "Comment": "The items in ranges, each in an execution of its own",
        "Items": "{% $states.input.chunks %}",
        "MaxConcurrency": lanes_of(max_parallel),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": chunk,
            "States": {chunk: {**_chunk_state(path, timeout_s), "End": True}},
        },
        "Output": states.next_input(nested=nested),
    }
    return state_name(path, Part.CHUNKS), each


def _chunk_state(path: str, timeout_s: int) -> State:
    """Return the state that waits for one execution; it asks again in case an answer was lost."""
    state = states.task_state(path, nested=True, step="chunk", retry=Retry())
    state["Resource"] += ".waitForTaskToken"
    state["Arguments"]["Payload"] |= {"chunk": "{% $states.input %}", "token": states.TOKEN}
    state["TimeoutSeconds"] = AWAIT_RETRY_S
    again = ceil(timeout_s / AWAIT_RETRY_S) + AWAIT_FAULT_RETRIES
    state["Retry"] = [states.FINAL, {"ErrorEquals": ["States.ALL"], "BackoffRate": 1, "MaxAttempts": again}]
    state["Output"] = {}
    return state


def items_state(path: str, max_parallel: int, body: dict[str, Any]) -> Named:
    """Return the Map that runs the items of one chunk, as that of a small foreach runs all."""
    return state_name(path, Part.ITEMS), {
        "Type": "Map",
        "Comment": "Once for each item of the chunk that this execution was given",
        "Items": _ROUNDS,
        "MaxConcurrency": max_parallel // lanes_of(max_parallel),
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **body},
        "Output": {},
        "Next": SETTLE,
    }


def with_chunks(body: dict[str, Any], apart: dict[str, Named]) -> dict[str, Any]:
    """Add the states of chunked bodies, and the first state, which chooses among them."""
    if not apart:
        return body
    question: State = {
        "Type": "Choice",
        "Comment": "A run, or a chunk of one",
        "Choices": [
            {
                "Condition": f"{{% $exists($states.input.chunk) and $states.input.chunk.task = '{path}' %}}",
                "Next": name,
            }
            for path, (name, _) in apart.items()
        ],
        "Default": body["StartAt"],
    }
    return {"StartAt": WHICH, "States": {WHICH: question, **body["States"], **dict(apart.values())}}


def unfolded(machine: dict[str, Any]) -> dict[str, Any]:
    """Return a machine whose chunks are nested in the states that wait for them.

    Its order of states is the one in which things happen.
    """
    whole = copy.deepcopy(machine)
    question = whole["States"].pop(WHICH, None)
    if question is None:
        return machine
    apart = {one["Next"]: whole["States"].pop(one["Next"]) for one in question["Choices"]}
    for name, state in apart.items():
        state.pop("Next")
        chunk = state_name(path_of(name), Part.CHUNK)
        lines = _lines_with(chunk, [whole, *(one["ItemProcessor"] for one in apart.values())])
        lines["States"][chunk].pop("End")
        lines["States"] |= {chunk: {**lines["States"][chunk], "Next": name}, name: {**state, "End": True}}
    return {**whole, "StartAt": question["Default"]}


def _lines_with(name: str, ahead: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the list of states that has a state of some name."""
    while ahead:
        lines = ahead.pop()
        if name in lines["States"]:
            return lines
        for state in lines["States"].values():
            ahead += state.get("Branches", [])
            ahead += [state["ItemProcessor"]] if "ItemProcessor" in state else []
    raise ValueError(f"there is no state {name!r}")


_EVENTS: Final = {"Choice": 2, "Pass": 2, "Wait": 2, "Succeed": 2, "Map": 4, "Parallel": 4}
_OF_CALL: Final = 5
"""Events: entered, scheduled, started, succeeded, exited; with a token also submitted."""
_OF_TRY: Final = 4
"""Events: failed, scheduled, started, submitted."""
_OF_CHUNK: Final = EVENTS_OF_ROUND + _OF_CALL + 1
"""Events of a chunk in the execution that waits for it."""
_AROUND_A_CHUNK: Final = 40
"""Events of a chunk's own execution: begin, end, question, Map and last state with retries."""
_NAMES_BYTES: Final = 200_000
"""Bytes for items' names, of the 256 KiB of a state's input."""
_INDEX_BYTES: Final = 6
_AROUND_A_NAME_BYTES: Final = 20
Lines = dict[str, Any]


def chunks_of(program: Program, machine: Lines) -> dict[str, int]:
    """Return the foreach that run in chunks, with the number of items of one chunk."""
    found = _Histories(program)
    found.fit(machine)
    return found.chunks


@dataclass
class _Histories:
    program: Program
    chunks: dict[str, int] = field(default_factory=dict)
    _item: dict[str, int] = field(default_factory=dict)
    """The events of one item, in the history that it is part of."""

    def fit(self, lines: Lines, available: int = PLANNED_EVENTS) -> int:
        """Divide the foreach of a list of states, the largest first, until one pass fits.

        Args:
            lines: The states.
            available: The events that one pass may have.

        Returns:
            The events of one pass.
        """
        each = dict(self._maps(lines))
        for path, state in each.items():
            self._item[path] = EVENTS_OF_ROUND + self.fit(state["ItemProcessor"])
            if (
                self._of_items(path) > PLANNED_EVENTS
                or self._most(path) > self._named(path)
                or self._said(path)
            ):
                self._divide(path)
        over = self._events(lines) - available
        gains = {path: self._gain(path) for path in each if path not in self.chunks}
        for path in sorted(gains, key=lambda path: -gains[path]):
            if over > 0 and gains[path] > 0:
                self._divide(path)
                over -= gains[path]
        if over > 0:
            self._lighten({path: state for path, state in each.items() if path in self.chunks}, available)
        return self._events(lines)

    def _lighten(self, each: dict[str, dict[str, Any]], available: int) -> None:
        """Divide foreach within items too, if the items are so large that chunks are too many."""
        for path, state in each.items():
            items_a_chunk = ceil(self._most(path) * 2 * len(each) * _OF_CHUNK / available)
            smaller = (PLANNED_EVENTS - _AROUND_A_CHUNK) // items_a_chunk - EVENTS_OF_ROUND
            if items_a_chunk > self.chunks[path] and smaller > 0:
                self._item[path] = EVENTS_OF_ROUND + self.fit(state["ItemProcessor"], smaller)
                self._divide(path)

    def _maps(self, lines: Lines) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the foreach of a list of states and of its branches, but not nested ones."""
        for name, state in lines["States"].items():
            for branch in state.get("Branches", ()):
                yield from self._maps(branch)
            if state["Type"] == "Map":
                yield path_of(name), state

    def _divide(self, path: str) -> None:
        most = min(self._named(path), (PLANNED_EVENTS - _AROUND_A_CHUNK) // self._item[path])
        self.chunks[path] = max(1, min(most, self._said(path) or most))

    def _named(self, path: str) -> int:
        """Return how many items can be named in one state's input."""
        name_bytes = len(path) + _INDEX_BYTES * (self.program.tasks[path].depth + 1) + _AROUND_A_NAME_BYTES
        return _NAMES_BYTES // name_bytes

    def _said(self, path: str) -> int | None:
        """Return the document's own size of a chunk, if there can be more than one."""
        size: int | None = settings_of(self.program.tasks[path].task).chunk_size
        return size if size is not None and size < self._most(path) else None

    def _gain(self, path: str) -> int:
        most = max(1, (PLANNED_EVENTS - _AROUND_A_CHUNK) // self._item[path])
        return (self._of_items(path) - self._of_chunks(path, most)) * self._times(path, path)

    def _events(self, lines: Lines) -> int:
        return sum(
            self._times(name, path_of(name)) * self._of_state(name, state)
            for name, state in lines["States"].items()
        )

    def _of_state(self, name: str, state: dict[str, Any]) -> int:
        if state["Type"] == "Task":
            return _of_task(state)
        inside = sum(self._events(branch) for branch in state.get("Branches", ()))
        if state["Type"] == "Map":
            path = path_of(name)
            inside = self._of_chunks(path, self.chunks[path]) if path in self.chunks else self._of_items(path)
        return _EVENTS[state["Type"]] + inside

    def _of_items(self, path: str) -> int:
        return self._most(path) * self._item[path]

    def _of_chunks(self, path: str, most: int) -> int:
        side_by_side = at_once(self.program.tasks[path].task)
        count = count_chunks(self._most(path), most, lanes_of(side_by_side))
        heals = ceil(self.program.definition.timeout_s / AWAIT_RETRY_S)
        return count * _OF_CHUNK + _OF_TRY * min(count, side_by_side) * heals

    def _times(self, name: str, path: str) -> int:
        """Return how often a state is entered in one pass of its list, by the loops around it."""
        if path not in self.program.tasks:
            return 1
        task = self.program.tasks[path].task
        asks = type_of(task).is_sequential and name in (path, state_name(path, Part.AGAIN))
        times = rounds_of(task).most + 1 if asks else 1
        body = body_of(self.program, path)
        while body and type_of(self.program.tasks[body].task).is_sequential:
            times *= self._most(body)
            path, body = body, body_of(self.program, body)
        return times if body else times * self._visits.get(path, 1)

    def _most(self, path: str) -> int:
        return rounds_of(self.program.tasks[path].task).most

    @cached_property
    def _visits(self) -> dict[str, int]:
        if not self.program.definition.is_state_machine:
            return {}
        return {path: visits.most for path, visits in visits_of(self.program).items()}


def _of_task(state: dict[str, Any]) -> int:
    """Return the events of a state, with retries by a rule and renewals of a wait."""
    waits = is_await(state)
    again: int = 0
    for one in state["Retry"]:
        if waits:
            again += max(0, one.get("MaxAttempts", 0) - AWAIT_FAULT_RETRIES)
        elif any(name in RETRIED_BY_RULE for name in one["ErrorEquals"]):
            again += one["MaxAttempts"]
    resource: str = state["Resource"]
    return _OF_CALL + resource.endswith(".waitForTaskToken") + _OF_TRY * again
