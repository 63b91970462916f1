"""moto knows activities by name only: a Task that calls one fails at once, and nobody can work for it.

Where: `start_execution` in moto/stepfunctions/parser/models.py:272 gives executions an empty store of activities;
moto/stepfunctions/responses.py has no GetActivityTask; `ActivityTaskStartEndpoint.wait` in
moto/stepfunctions/parser/asl/eval/callback/callback.py:104 reads an attribute that nobody has set;
`add_activity_task` beside it makes an exception wrongly for an activity that is not there.
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import (
    StateTaskActivity,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    ActivityCallbackEndpoint,
    ActivityTaskStartEndpoint,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.backend import activity
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine.states import failures, tokens

ORIGINAL_EVAL = StateTaskActivity._eval_execution  # noqa: SLF001 - what is mended
ORIGINAL = Execution._get_start_execution_worker  # noqa: SLF001 - what is mended
POLL_LIMIT_S = 60.0
"""How long GetActivityTask waits for work before it answers without any, on AWS as here."""

_TICK_S = 0.05


def install_activities() -> None:
    """Give executions the activities of their account, and workers their door."""
    Execution._get_start_execution_worker = _worker  # noqa: SLF001 - as above
    ActivityTaskStartEndpoint._outcome = None  # noqa: SLF001 - the attribute that is missing
    StateTaskActivity._eval_execution = _eval_execution  # noqa: SLF001 - as above
    StepFunctionResponse.get_activity_task = _get_activity_task


def _eval_execution(state: Any, env: Any) -> None:
    arn = state.resource.resource_arn
    if env.callback_pool_manager._activity_store.get(arn) is None:  # noqa: SLF001 - looking into it is not offered
        name = StatesErrorName(typ=StatesErrorNameType.StatesRuntime)
        cause = failures.with_state(env, f"The activity {arn} does not exist.")
        told = ExecutionFailedEventDetails(error=name.error_name, cause=cause)
        details = EventDetails(executionFailedEventDetails=told)
        raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, details))
    ORIGINAL_EVAL(state, env)


class _Activities(dict[str, Any]):
    """The activities of an account as the engine wants them: with a queue of tasks each."""

    def __init__(self, backend: Any) -> None:
        super().__init__()
        self._backend = backend

    def get(self, arn: str, default: Any = None) -> Any:
        known = self._backend.activities.get(arn)
        if known is None:
            return default
        if not hasattr(known, "work"):
            known.work = activity.Activity(arn=known.arn, name=known.name, creation_date=known.creation_date)
        return known.work


def _worker(execution: Any) -> Any:
    backend = execution.state_machine.backend
    execution._activity_store = _Activities(backend)  # noqa: SLF001 - the engine's own name for it
    return ORIGINAL(execution)


def _get_activity_task(response: Any) -> Any:
    arn, worker = (response._get_param(name) for name in ("activityArn", "workerName"))  # noqa: SLF001
    backend = response.stepfunction_backend
    backend.describe_activity(arn)  # refuses what does not exist, as AWS does
    end_s = time.monotonic() + POLL_LIMIT_S
    while time.monotonic() < end_s:
        if (task := _take(backend, arn, worker)) is not None:
            return ActionResult({"taskToken": task.task_token, "input": task.task_input})
        time.sleep(_TICK_S)
    return ActionResult({})


def _take(backend: Any, arn: str, worker: str | None) -> Any:
    work = _Activities(backend).get(arn)
    while work is not None and work._tasks:  # noqa: SLF001 - looking into it is not offered
        task = work.get_task()
        endpoint = tokens.find(backend, task.task_token)
        if isinstance(endpoint, ActivityCallbackEndpoint):
            endpoint.notify_activity_task_start(worker_name=worker)
            return task
    return None
