"""A provider of models on loopback in a process of its own, for benches that make real calls without a key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT

_COMMAND: Final = "from stepward.cli.entry import main; main()"
_END_LIMIT_S: Final = 10.0


@contextmanager
def fake_provider(rehearsal: Path) -> Iterator[str]:
    """Run `stepward fake-llm` with an agent's rehearsal; give its address, and end it.

    Raises:
        LaptopError: It did not begin; the message says why.
    """
    words = ["fake-llm", "--rehearsal", str(rehearsal), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "shared")}
    with subprocess.Popen(  # noqa: S603 - our own interpreter and command
        [sys.executable, "-c", _COMMAND, *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            told = "".join(_document(process.stdout)) if process.stdout else ""
            if not told:
                raise LaptopError(f"fake-llm did not begin: {process.stderr and process.stderr.read()}")
            yield str(json.loads(told)["url"])
        finally:
            process.terminate()
            process.communicate(timeout=_END_LIMIT_S)


def _document(lines: IO[str]) -> Iterator[str]:
    """Read one JSON document of several lines from a process that goes on running."""
    for line in lines:
        yield line
        if line.rstrip() == "}":
            return
