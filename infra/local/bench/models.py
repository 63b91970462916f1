"""`bench models`: what the platform adds to a model call, beside the vendor's SDK alone, in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT


def models(*, calls: int, latency_ms: float) -> int:
    """Print medians and their ratio as one JSON document; the product's logic runs in a process of its own.

    Args:
        calls: How many pairs of calls.
        latency_ms: How long the provider waits before its first byte, in milliseconds.

    Raises:
        LaptopError: The calls could not be made.
    """
    words = ["--calls", str(calls), "--latency-ms", str(latency_ms)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "stepward.testing.model_bench", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LaptopError(f"the calls could not be made:\n{done.stderr.strip()}")
    print(json.dumps(json.loads(done.stdout), indent=2))
    return 0
