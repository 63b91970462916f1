"""Runs a module of the product in a process of its own: its logic is not for the infrastructure to import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT


def answer_of(module: str, words: Sequence[str], doing: str) -> dict[str, Any]:
    """Run a module and read the JSON document that it prints, whatever its exit status.

    Args:
        module: Its name, such as `stepward.testing.schedules`.
        words: Its arguments.
        doing: What could not be done, for the error.

    Raises:
        LaptopError: It printed nothing.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise LaptopError(f"{doing}:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
