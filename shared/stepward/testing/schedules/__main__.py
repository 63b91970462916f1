"""Play many schedules, or one by its seed; exit 1 on a violation."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from stepward.testing.schedules.scenario import Outcome, play_all

BATCH = 250


def main(arguments: list[str] | None = None) -> int:
    """Play the schedules that the arguments name, and print one JSON document."""
    parser = argparse.ArgumentParser(prog="stepward.testing.schedules", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many schedules (default: %(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="replay this one schedule alone")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    first, count = (chosen.seed, 1) if chosen.seed is not None else (chosen.first, chosen.count)
    report = explore(first, count, chosen.processes)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 1 if report["violations"] else 0


def explore(first: int, count: int, processes: int = 1) -> dict[str, Any]:
    """Play schedules and sum up.

    Args:
        first: The first seed.
        count: Number of schedules.
        processes: Number of processes. Default: 1.

    Returns:
        How many were `tried`, the `violations` with their seeds, and the injected faults `by_fault`.
    """
    starts = range(first, first + count, BATCH)
    sizes = [min(BATCH, first + count - start) for start in starts]
    if processes == 1 or count <= BATCH:
        batches = [_batch(start, size) for start, size in zip(starts, sizes, strict=True)]
    else:
        with ProcessPoolExecutor(processes) as pool:
            batches = list(pool.map(_batch, starts, sizes))
    outcomes = [outcome for batch in batches for outcome in batch]
    by_fault: Counter[str] = Counter()
    for outcome in outcomes:
        by_fault.update(outcome.faults)
    broken = [{"seed": o.seed, "violations": o.violations} for o in outcomes if o.violations]
    return {"tried": len(outcomes), "violations": broken, "by_fault": dict(sorted(by_fault.items()))}


def _batch(first: int, count: int) -> list[Outcome]:
    return list(play_all(first, count))


if __name__ == "__main__":
    sys.exit(main())
