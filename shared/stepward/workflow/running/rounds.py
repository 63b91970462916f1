"""Spells in which round of which bodies a task runs: `each[3].refine[0]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_ROUND: Final = re.compile(r"^(.*)\[(\d+)\]$")


def at_depth(at: str, depth: int) -> str:
    """Cut a round down to the one that tasks of an outer body are in."""
    return ".".join(at.split(".")[:depth]) if at else ""


def round_of(at: str, body: str, number: int) -> str:
    """Name a round of a body: `at` is where the body itself is."""
    own = f"{body.rpartition('.')[2]}[{number}]"
    return f"{at}.{own}" if at else own


def number_of(at: str) -> int:
    """Read the number of the innermost round."""
    found = _ROUND.match(at)
    if not found:
        raise ValueError(f"{at!r} is no round")
    return int(found[2])


def depth_of(at: str) -> int:
    """How many bodies a round is in."""
    return len(at.split(".")) if at else 0


def nested(by_path: Mapping[str, Any]) -> dict[str, Any]:
    """Let groups be objects of what their tasks brought.

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
