"""The CDK app on its way in a process of its own: it takes seconds in which other things can start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.faults import LaptopError

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that this file lies in."""


class Synthesis:
    """One run of the CDK app, from the sources as they are to an assembly."""

    def __init__(self, stage: str, out: Path, settings: Sequence[str]) -> None:
        """Start it."""
        self._out = out
        options = ["--stage", stage, "--bundle", "source", "--fast", "--out", str(out)]
        command = [sys.executable, "-m", "infra.app", *options, *(f"--set={setting}" for setting in settings)]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            cwd=ROOT,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> None:
        """Leave no synthesis behind when something else has failed first."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> Path:
        """Wait for the assembly."""
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise LaptopError(f"the CDK app failed:\n{output.strip()}")
        return self._out
