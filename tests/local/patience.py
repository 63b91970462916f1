"""Waiting for what happens in other threads and processes, with a limit instead of a guess."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from infra.local.laptop import Laptop
from tests.local.conftest import UNPATCHED

T = TypeVar("T")
_UNPATCHED_LIMIT_S = 5.0


def wait_for(question: Callable[[], T | None], limit_s: float = 60.0) -> T:
    """Ask until there is an answer; the limit is far beyond what a busy machine takes.

    Where patches are left out most of what is waited for never comes, and nobody waits for long.
    """
    end_s = time.monotonic() + (min(limit_s, _UNPATCHED_LIMIT_S) if UNPATCHED in os.environ else limit_s)
    while time.monotonic() < end_s:
        if (answer := question()) is not None:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"there was no answer within {limit_s:g} s")


def run_machine(laptop: Laptop, arn: str, given: str = "{}") -> dict[str, Any]:
    """Run a machine to its end and describe it."""
    states = laptop.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn, input=given)["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    return wait_for(ended)


def alive(pid: int) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
