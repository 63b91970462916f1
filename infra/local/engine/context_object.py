"""moto keeps the context object's times as Python dates, so that `$$` or `$states.context` as a whole is no JSON.

Where: `_get_evaluation_environment` in moto/stepfunctions/parser/backend/execution_worker.py:77 and
`CommonStateField._eval_body` in moto/stepfunctions/parser/asl/component/state/state.py:208. AWS has ISO 8601 text with
milliseconds and a Z, and a RedriveCount beside StartTime.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

ORIGINAL = ExecutionWorker._get_evaluation_environment  # noqa: SLF001 - what is mended


def install() -> None:
    """Write both times as text."""
    ExecutionWorker._get_evaluation_environment = _environment  # noqa: SLF001 - as above
    state.StateData = _state_data


def iso(moment: dt.datetime) -> str:
    """Write a time as AWS does."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _environment(worker: Any) -> Any:
    env = ORIGINAL(worker)
    execution = env.states.context_object.context_object_data["Execution"]
    execution["StartTime"] = iso(execution["StartTime"])
    execution["RedriveCount"] = 0
    return env


def _state_data(**fields: Any) -> dict[str, Any]:
    return {**fields, "EnteredTime": iso(dt.datetime.fromisoformat(fields["EnteredTime"]))}
