"""The CDK app on its way in a process of its own: it takes seconds in which other things can start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local import kept_assemblies
from infra.local.faults import LaptopError

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that this file lies in."""


class Synthesis:
    """One run of the CDK app into an assembly, or a kept assembly of the same sources."""

    def __init__(self, stage: str, out: Path, settings: Sequence[str]) -> None:
        """Start the app, unless its assembly is kept.

        A folder that exists may be in use, so the run gets a folder of its own.
        """
        self._out = out
        self._words = (stage, *settings)
        self._kept = None if out.exists() else self._kept_as()
        self._process: subprocess.Popen[str] | None = None
        if self._kept is None or not kept_assemblies.take(self._kept, out):
            self._process = self._run(stage, settings)

    def end(self) -> None:
        """Leave no synthesis behind when something else has failed first."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def wait(self) -> Path:
        """Wait for the assembly."""
        if self._process is None:
            return self._out
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise LaptopError(f"the CDK app failed:\n{output.strip()}")
        if self._kept is not None and self._kept == self._kept_as():  # nobody has changed a source meanwhile
            kept_assemblies.keep(self._out, self._kept)
        return self._out

    def _kept_as(self) -> Path:
        return ROOT / ".build" / "assemblies" / kept_assemblies.digest(ROOT, self._words)

    def _run(self, stage: str, settings: Sequence[str]) -> subprocess.Popen[str]:
        options = ["--stage", stage, "--bundle", "source", "--fast", "--out", str(self._out)]
        command = [sys.executable, "-m", "infra.app", *options, *(f"--set={setting}" for setting in settings)]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            cwd=ROOT,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
