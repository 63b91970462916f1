"""`bench faults`: thousands of schedules in memory, and a real SIGKILL around every write of the reference runs."""

from __future__ import annotations

import json
from typing import Any

from infra.local.bench.kills.killer import Kill
from infra.local.bench.kills.sweep import replay, sweep
from infra.local.bench.product import told_by


def faults(*, count: int, seed: int | None, kill: str | None) -> int:
    """Print what was tried and what did not hold, as one JSON document; a violation is a failure."""
    report = _replayed(seed, kill) or _together(_schedules(["--count", str(count)]), sweep())
    print(json.dumps(report, indent=2))
    return 1 if report["violations"] else 0


def _replayed(seed: int | None, kill: str | None) -> dict[str, Any] | None:
    if kill is not None:
        return replay(Kill.read(kill))
    return None if seed is None else _schedules(["--seed", str(seed)])


def _schedules(arguments: list[str]) -> dict[str, Any]:
    """Play schedules."""
    return told_by("stepward.testing.schedules", arguments, "the schedules could not be played")


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        **other,
        "tried": one["tried"] + other["tried"],
        "violations": one["violations"] + other["violations"],
        "by_fault": one["by_fault"] | other["by_fault"],
    }
