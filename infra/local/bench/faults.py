"""`bench faults`: thousands of schedules in memory, and a real SIGKILL around every write of the reference runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from infra.local.bench.kills.killer import Kill
from infra.local.bench.kills.sweep import replay, sweep
from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT


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
    """Play schedules in a process of its own: the product's logic is not for the infrastructure to import."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "stepward.testing.schedules", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise LaptopError(f"the schedules could not be played:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        **other,
        "tried": one["tried"] + other["tried"],
        "violations": one["violations"] + other["violations"],
        "by_fault": one["by_fault"] | other["by_fault"],
    }
