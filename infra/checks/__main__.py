"""`python -m infra.checks FOLDER` lets every checker look at an assembly; one finding is enough to fail."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.checks.findings import CheckerBrokenError, Report
from infra.checks.install import BENCH
from infra.checks.machines import asl_validator, kept_machines
from infra.checks.templates import cfn_lint, checkov
from infra.machines import machine_files

STATEMACHINES = Path(__file__).parent.parent.parent / "statemachines"


def check(assembly: Path, compiled: Path | None = None) -> list[Report]:
    """Run the checkers beside each other; each is a process of its own."""
    with ThreadPoolExecutor() as pool:
        answers = [
            pool.submit(checkov, BENCH, assembly),
            pool.submit(cfn_lint, BENCH, assembly),
            pool.submit(asl_validator, BENCH, assembly, machine_files(STATEMACHINES)),
        ]
        if compiled is not None:
            answers.append(pool.submit(kept_machines, BENCH, compiled))
        return [answer.result() for answer in answers]


def main() -> int:
    """Print what each checker says."""
    parser = argparse.ArgumentParser(prog="python -m infra.checks", description="Check an assembly.")
    parser.add_argument("assembly", type=Path)
    parser.add_argument("--compiled", type=Path, help="a folder of machines that workflows compile to")
    given = parser.parse_args()
    try:
        reports = check(given.assembly.resolve(), given.compiled)
    except CheckerBrokenError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for report in reports:
        sys.stderr.write(f"{report}\n")
    return 1 if any(report.findings for report in reports) else 0


if __name__ == "__main__":
    raise SystemExit(main())
