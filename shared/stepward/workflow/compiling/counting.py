"""Tells whose states a machine has, so that what a run entered can be counted from its tasks' records alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator
from typing import Any

from stepward.workflow.compiling.states import WAIT, State
from stepward.workflow.state_names import Part, is_part, owner_of, path_of, state_name


def all_states(machine: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Give all states with their names, those of branches and bodies too."""
    pending = [machine]
    while pending:
        for name, state in pending.pop()["States"].items():
            yield name, state
            pending.extend(state.get("Branches", ()))
            if "ItemProcessor" in state:
                pending.append(state["ItemProcessor"])


def is_await(state: State) -> bool:
    """Whether a state waits at a latch, by a write of its own or one that its room makes."""
    return "updateItem" in str(state.get("Resource")) or (is_function(state) and _step(state) == WAIT)


def is_function(state: State) -> bool:
    """Whether a function is called in a state."""
    return "lambda:invoke" in str(state.get("Resource"))


def first_states(machine: dict[str, Any]) -> Iterator[str]:
    """Give the states that an execution may have entered when the first of its functions answers."""
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
    """Count the states that a run enters for each task itself, and the functions and awaits among them.

    Those of a chunk, which is carried by an execution of its own, are counted where chunks are.
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
