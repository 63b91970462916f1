"""Count a machine's states by their tasks, and fit its text into one request."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.workflows.compiler.states import (
    JOURNAL,
    LONGEST_FILLED_CHARS,
    TASK_RUN,
    WAIT,
    State,
    await_by_function,
)
from stepward.workflows.program.names import Part, is_join, is_part, owner_of, path_of, state_name

# Whose states a machine has.


def all_states(machine: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Yield all states with their names, those of branches and bodies included."""
    pending = [machine]
    while pending:
        for name, state in pending.pop()["States"].items():
            yield name, state
            pending.extend(state.get("Branches", ()))
            if "ItemProcessor" in state:
                pending.append(state["ItemProcessor"])


def is_await(state: State) -> bool:
    """Return whether a state waits at a latch, by its own write or its function's."""
    return "updateItem" in str(state.get("Resource")) or (is_function(state) and _step(state) == WAIT)


def is_function(state: State) -> bool:
    """Return whether a state calls a function."""
    return "lambda:invoke" in str(state.get("Resource"))


def first_states(machine: dict[str, Any]) -> Iterator[str]:
    """Yield the states that may be entered before the first function answers."""
    ahead = [(machine["States"], machine["StartAt"])]
    while ahead:
        states, name = ahead.pop()
        yield name
        state = states[name]
        ahead += [(branch["States"], branch["StartAt"]) for branch in state.get("Branches", ())]
        goes_on = state["Type"] in ("Pass", "Choice") or is_await(state)
        following = state.get("Default", state.get("Next")) if goes_on else None
        ahead += [(states, following)] if following in states else []


def _step(state: State) -> str | None:
    step: str | None = state["Arguments"]["Payload"].get("step")
    return step


def owned_states(machine: dict[str, Any], paths: Container[str]) -> dict[str, Counter[str]]:
    """Count the states, functions and awaits that a run enters for each task.

    Those of a chunk, which has an execution of its own, are counted with the chunks.
    """
    named = dict(all_states(machine))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, state in named.items():
        is_chunked = state_name(path_of(name), Part.CHUNKS) in named
        if is_part(name, Part.CHUNK) or (is_part(name, Part.ITEMS) and is_chunked):
            continue
        one = {"states": 1, "functions": int(is_function(state)), "awaits": int(is_await(state))}
        found[owner_of(name, paths)].update(one)
    return found


# Bytes.


MOST_REQUEST_BYTES: Final = 1_048_576
"""1 MB is the limit of a definition, and of the request in which each of its quotes is two bytes."""
REST_OF_REQUEST_BYTES: Final = 5_000
"""Bytes of role, log and tags, and of the headers with their signature."""


@dataclass(frozen=True)
class SizeFault:
    """Why Step Functions would refuse a machine, and what its author can do."""

    detail: str
    fix: str


def text_of(machine: dict[str, Any], *, indent: int | None = None) -> str:
    """Return a machine's definition; the same document gives the same bytes."""
    separators = (",", ":") if indent is None else None
    return json.dumps(machine, ensure_ascii=False, indent=indent, separators=separators)


def fitted(machine: dict[str, Any], needs: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a machine in a form that fits into one request, if there is one.

    Where awaits take too many bytes, the task function makes their writes, at the price of one call each; if that is
    not enough, the comments that name the awaited tasks go too.

    Args:
        machine: The machine as it is most readable and cheapest.
        needs: The tasks that each await waits for.
    """
    thinner = [lambda name, state: await_by_function(name, state, needs[name]), _without_comment]
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
    """Return the bytes of the request that makes the machine, with the longest names."""
    return _sent_bytes(text_of(machine)) + REST_OF_REQUEST_BYTES


def _sent_bytes(text: str) -> int:
    filled = sum(text.count(name) * (LONGEST_FILLED_CHARS - len(name)) for name in (TASK_RUN, JOURNAL))
    # As the SDK writes it: what is not ASCII takes six bytes.
    return len(json.dumps(text)) + filled


def size_fault(machine: dict[str, Any]) -> SizeFault | None:
    """Return by how much a machine is too large, and why; None if it fits."""
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
    return SizeFault(detail, fix)


def _parts(machine: dict[str, Any]) -> str:
    """Return which states take the bytes."""
    numbers, sizes = Counter[str](), Counter[str]()
    for name, state in (one for states in _lists_of_states(machine) for one in states.items()):
        own = {key: value for key, value in state.items() if key not in ("Branches", "ItemProcessor")}
        kind = "that wait for several tasks" if is_join(name) else "for tasks"
        numbers[kind] += 1
        sizes[kind] += _sent_bytes(text_of({name: own}))
    said = [f"{numbers[kind]:,} states {kind} take {sizes[kind]:,}" for kind in sorted(sizes)]
    return " and ".join(said)
