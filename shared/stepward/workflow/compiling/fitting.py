"""Holds a machine to what Step Functions takes in one request, and writes a large graph in fewer bytes than a small one."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.workflow.compiling.states import JOURNAL, LONGEST_NAME_CHARS, TASK_RUN, State, await_by_room
from stepward.workflow.state_names import is_join

MOST_REQUEST_BYTES: Final = 1_048_576
"""1 MB is the most for a definition and for the whole request that brings it, in which each of its quotes is two bytes."""
REST_OF_REQUEST_BYTES: Final = 5_000
"""Role, log, tags of a version, and the headers with their signature."""


@dataclass(frozen=True)
class Fault:
    """Why Step Functions would not take a machine, and what its author can do."""

    detail: str
    fix: str


def text_of(machine: dict[str, Any], *, indent: int | None = None) -> str:
    """Write a machine's definition; the same document gives the same bytes."""
    separators = (",", ":") if indent is None else None
    return json.dumps(machine, ensure_ascii=False, indent=indent, separators=separators)


def fitted(machine: dict[str, Any], needs: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Give a machine back that fits if one can be made: as it runs and is read best, or in fewer bytes.

    Where there are too many awaits for all to say whom they wait for, their room makes their writes, which costs a run
    a call of it for each; last of all go the comments that say for people what the awaits then do not.
    """
    thinner = [lambda name, state: await_by_room(name, state, needs[name]), _without_comment]
    while request_bytes(machine) > MOST_REQUEST_BYTES and thinner:
        make = thinner.pop(0)
        for states in _lists_of_states(machine):
            states |= {name: make(name, state) for name, state in states.items() if name in needs}
    return machine


def _without_comment(_: str, state: State) -> State:
    return {key: value for key, value in state.items() if key != "Comment"}


def _lists_of_states(machine: dict[str, Any]) -> Iterator[dict[str, State]]:
    pending = [machine]
    while pending:
        states = pending.pop()["States"]
        yield states
        for state in states.values():
            pending += state.get("Branches", [])
            pending += [state["ItemProcessor"]] if "ItemProcessor" in state else []


def request_bytes(machine: dict[str, Any]) -> int:
    """Count what making the machine sends: its text as a string of JSON, with the longest names filled in."""
    return _sent_bytes(text_of(machine)) + REST_OF_REQUEST_BYTES


def _sent_bytes(text: str) -> int:
    filled = sum(text.count(name) * (LONGEST_NAME_CHARS - len(name)) for name in (TASK_RUN, JOURNAL))
    # As the SDK writes it: what is not ASCII takes six bytes.
    return len(json.dumps(text)) + filled


def size_fault(machine: dict[str, Any]) -> Fault | None:
    """Say by how much a machine is too large, and of what it consists; None if it has room."""
    size = request_bytes(machine)
    if size <= MOST_REQUEST_BYTES:
        return None
    detail = (
        f"making the state machine takes {size:,} bytes, and Step Functions takes {MOST_REQUEST_BYTES:,} in one "
        f"request: {_parts(machine)}"
    )
    workflows = math.ceil(size / MOST_REQUEST_BYTES)
    fix = (
        f"put parts of the tasks into workflows of their own, so that there are {workflows} or more, and call each by "
        "a task of type subworkflow; where few tasks lead from one part to the next, fewest joins are left"
    )
    return Fault(detail, fix)


def _parts(machine: dict[str, Any]) -> str:
    """Tell which states take the bytes."""
    numbers, sizes = Counter[str](), Counter[str]()
    for name, state in (one for states in _lists_of_states(machine) for one in states.items()):
        own = {key: value for key, value in state.items() if key not in ("Branches", "ItemProcessor")}
        kind = "that wait for several tasks" if is_join(name) else "for tasks"
        numbers[kind] += 1
        sizes[kind] += _sent_bytes(text_of({name: own}))
    said = [f"{numbers[kind]:,} states {kind} take {sizes[kind]:,}" for kind in sorted(sizes)]
    return " and ".join(said)
