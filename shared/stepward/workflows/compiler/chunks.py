"""Write the states of a foreach too large for one history: executions share its states.

A run begins as without chunks. An execution whose input has a `chunk` runs that foreach's items from the first to
the last instead, and is finalized like a run; the state that waits for it is in the run's execution.
"""

from __future__ import annotations

import copy
from math import ceil
from typing import Any, Final

from stepward.domain.chunks import lanes_of
from stepward.domain.retries import Retry
from stepward.workflows.compiler import states
from stepward.workflows.compiler.states import Named, State
from stepward.workflows.program.limits import AWAIT_FAULT_RETRIES, AWAIT_RETRY_S
from stepward.workflows.program.names import SETTLE, WHICH, Part, path_of, state_name

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
