"""`bench faults`: thousands of schedules in memory, and a real SIGKILL around every write of the reference runs."""

from __future__ import annotations

import json
from typing import Any

from infra.local.bench.kills.killer import Kill
from infra.local.bench.kills.sweep import replay, sweep
from infra.local.bench.product import answer_of
from infra.local.faults import UnusableOption


def faults(*, count: int, kills: int | None, seed: int | None, kill: str | None) -> int:
    """Print what was tried and what did not hold, as one JSON document.

    A violation is a failure.

    Args:
        count: How many schedules.
        kills: How many runs of each shape are killed, at places that are drawn; None kills at all places.
        seed: Of the one schedule to replay.
        kill: The one kill to replay, as SHAPE:WHEN:WRITE.

    Raises:
        UnusableOption: `kills` is less than 1.
    """
    if kills is not None and kills < 1:
        raise UnusableOption(
            f"--kills is {kills}; give a whole number from 1, or leave it out to kill at all places"
        )
    report = _replayed(seed, kill) or _together(_schedules(["--count", str(count)]), sweep(sample=kills))
    print(json.dumps(report, indent=2))
    return 1 if report["violations"] else 0


def _replayed(seed: int | None, kill: str | None) -> dict[str, Any] | None:
    if kill is not None:
        return replay(Kill.read(kill))
    return None if seed is None else _schedules(["--seed", str(seed)])


def _schedules(arguments: list[str]) -> dict[str, Any]:
    """Play schedules."""
    return answer_of("stepward.testing.schedules", arguments, "the schedules could not be played")


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        **other,
        "tried": one["tried"] + other["tried"],
        "violations": one["violations"] + other["violations"],
        "by_fault": one["by_fault"] | other["by_fault"],
    }
