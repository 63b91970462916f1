"""What an execution's history says about its cost: states entered, events, and the largest state that it carried."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from infra.local.faults import LaptopError
from infra.local.laptop import Laptop

STATE_USD_MICROS = 25
"""A state transition of a Standard workflow: $25 a million (us-east-1)."""

_POLL_S = 0.05


@dataclass(frozen=True)
class HistoryCounts:
    """The figures of one execution."""

    states_entered: int
    history_events: int
    max_state_bytes: int


def count(events: list[dict[str, Any]]) -> HistoryCounts:
    """Count what Step Functions bills and limits."""
    entered = [event for event in events if event["type"].endswith("StateEntered")]
    sizes = [len(text.encode()) for event in events for text in _state_texts(event)]
    return HistoryCounts(len(entered), len(events), max(sizes, default=0))


def execution_of(laptop: Laptop, run_id: str) -> str | None:
    """Find the newest execution of a run; a run's executions are named after it."""
    machine = laptop.physical_id("AWS::StepFunctions::StateMachine")
    listed = laptop.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=1000)[
        "executions"
    ]
    found = [str(execution["executionArn"]) for execution in listed if execution["name"].startswith(run_id)]
    return found[0] if found else None


def wait_for_end(laptop: Laptop, run_id: str, limit_s: float) -> str:
    """Wait on the engine itself for an execution's end, and return its ARN.

    Waiting costs no call of the platform.
    """
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        arn = execution_of(laptop, run_id)
        if arn and laptop.client("stepfunctions").describe_execution(executionArn=arn)["status"] != "RUNNING":
            return arn
        time.sleep(_POLL_S)
    raise LaptopError(f"run {run_id} did not end within {limit_s:.0f} s; see {laptop.log_dir}")


def _state_texts(event: dict[str, Any]) -> list[str]:
    details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
    return [details[name] for name in ("input", "output") if name in details]
