"""Build and parse the names of a machine's states, and the paths of iterations.

A state has the path of its task as its name, followed by a word where a task has several states. Ids have neither
spaces nor hyphens, so no task can have the name of one of the machine's own states.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from enum import StrEnum
from typing import Any, Final

SETTLE: Final = "settle run"
"""The last state, which ends the run."""
WHICH: Final = "which-items?"
"""The first state where a foreach runs in chunks: it asks which items the execution runs."""
LONGEST_NAME_CHARS: Final = 80
"""The longest name of a state that Step Functions accepts."""


class Part(StrEnum):
    """What a state does for its task, where the task has several."""

    BEGINS = "begins"
    """Leads to the first task of a workflow that goes from task to task."""
    DECIDES = "decides"
    """Calls the function that chooses the transition."""
    TO_NEXT = "then"
    """Takes the transition that was chosen."""
    LEAVES = "leaves"
    """Counts the step where there is one transition only."""
    ITEMS = "items"
    """Runs a foreach's body once for each item."""
    CHUNKS = "chunks"
    """Runs the chunks of a foreach."""
    CHUNK = "chunk"
    """Waits for the execution of one chunk."""
    PASSES = "passes"
    """Waits for the time of a wait."""
    DONE = "done"
    """Records the outcome of a foreach or a wait."""
    AGAIN = "again?"
    """Asks whether a loop has another iteration."""
    ENDED = "ended"
    """Ends a branch whose last state is a loop's question."""
    WAITS = "waits"
    """Awaits the tasks that a join needs."""


def joined(container: str, name: str) -> str:
    """Name a task within a group or a body; "" is the document itself."""
    return f"{container}.{name}" if container else name


def state_name(path: str, part: Part) -> str:
    """Name one of the further states of a task."""
    return f"{path} {part}"


def parallel_name(first: str, branches: int) -> str:
    """Name a Parallel after the first of its tasks."""
    return f"{first} beside {branches - 1} more"


def path_of(name: str) -> str:
    """Return the path of the task that a state is called after."""
    return name.partition(" ")[0]


def is_part(name: str, *parts: Part) -> bool:
    """Return whether a state is one of some parts of its task."""
    return name.partition(" ")[2] in parts


def is_join(name: str) -> bool:
    """Return whether a state awaits what a join needs.

    Such names may be cut short or end in a number.
    """
    return f" {Part.WAITS}" in name


def owner_of(name: str, paths: Container[str]) -> str:
    """Return the task that a state belongs to; "" for the first and last of a machine."""
    path = path_of(name)
    return path if path in paths and name != SETTLE and not is_part(name, Part.BEGINS) else ""


# Iterations: `each[3].refine[0]` is a path with the number of each body's round.


_ROUND: Final = re.compile(r"^(.*)\[(\d+)\]$")


def at_depth(at: str, depth: int) -> str:
    """Return the iteration of an outer body that an iteration is in."""
    return ".".join(at.split(".")[:depth]) if at else ""


def round_of(at: str, body: str, number: int) -> str:
    """Return the path of a body's iteration; `at` is the iteration that the body is in."""
    own = f"{body.rpartition('.')[2]}[{number}]"
    return f"{at}.{own}" if at else own


def number_of(at: str) -> int:
    """Return the number of the innermost iteration."""
    found = _ROUND.match(at)
    if not found:
        raise ValueError(f"{at!r} is no round")
    return int(found[2])


def depth_of(at: str) -> int:
    """Return how many bodies an iteration is in."""
    return len(at.split(".")) if at else 0


def nested(by_path: Mapping[str, Any]) -> dict[str, Any]:
    """Turn paths into nested objects, one for each group.

    Args:
        by_path: Outputs by paths such as `group.task`.

    Returns:
        The same, with an object for each group.
    """
    found: dict[str, Any] = {}
    for path, output in by_path.items():
        *groups, name = path.split(".")
        into = found
        for group in groups:
            into = into.setdefault(group, {})
        into[name] = output
    return found
