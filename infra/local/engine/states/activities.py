"""Patches of activities: tasks that call one, and workers that poll for them.

moto keeps the names of activities only: a Task that calls one fails at once, and a worker cannot poll.

Where: `start_execution` in moto/stepfunctions/parser/models.py:272 gives executions an empty store of activities;
moto/stepfunctions/responses.py has no GetActivityTask; `ActivityTaskStartEndpoint.wait` in
moto/stepfunctions/parser/asl/eval/callback/callback.py:104 reads an attribute that is never set;
`add_activity_task` beside it constructs its exception for an unknown activity wrongly.
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.responses import ActionResult
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
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.backend import activity
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine.states import failures, tokens

ORIGINAL_EVAL = StateTaskActivity._eval_execution  # noqa: SLF001 - what is patched
ORIGINAL = Execution._get_start_execution_worker  # noqa: SLF001 - what is patched
POLL_LIMIT_S = 60.0
"""How long GetActivityTask waits for a task before it returns none, on AWS as here."""

_TICK_S = 0.05


def install_activities() -> None:
    """Give executions the activities of their account, and add GetActivityTask."""
    Execution._get_start_execution_worker = _worker  # noqa: SLF001 - as above
    ActivityTaskStartEndpoint._outcome = None  # noqa: SLF001 - the attribute that is missing
    StateTaskActivity._eval_execution = _eval_execution  # noqa: SLF001 - as above
    StepFunctionResponse.get_activity_task = _get_activity_task


def _eval_execution(state: StateTaskActivity, env: Environment) -> None:
    arn = state.resource.resource_arn
    if env.callback_pool_manager._activity_store.get(arn) is None:  # noqa: SLF001 - it has no accessor
        cause = failures.with_state(env, f"The activity {arn} does not exist.")
        failures.fail_execution(env, StatesErrorNameType.StatesRuntime, cause)
    ORIGINAL_EVAL(state, env)


class _Activities(dict[str, Any]):
    """The activities of an account, each with the queue of tasks that the engine expects."""

    def __init__(self, backend: StepFunctionsParserBackend) -> None:
        super().__init__()
        self._backend = backend

    def get(self, arn: str, default: Any = None) -> Any:
        known = self._backend.activities.get(arn)
        if known is None:
            return default
        if not hasattr(known, "work"):
            known.work = activity.Activity(arn=known.arn, name=known.name, creation_date=known.creation_date)
        return known.work


def _worker(execution: Execution) -> Any:
    backend = execution.state_machine.backend
    execution._activity_store = _Activities(backend)  # noqa: SLF001 - the engine's own name for it
    return ORIGINAL(execution)


def _get_activity_task(response: StepFunctionResponse) -> ActionResult:
    arn, worker = (response._get_param(name) for name in ("activityArn", "workerName"))  # noqa: SLF001
    backend = response.stepfunction_backend
    backend.describe_activity(arn)  # refuses what does not exist, as AWS does
    end_s = time.monotonic() + POLL_LIMIT_S
    while time.monotonic() < end_s:
        if (task := _take(backend, arn, worker)) is not None:
            return ActionResult({"taskToken": task.task_token, "input": task.task_input})
        time.sleep(_TICK_S)
    return ActionResult({})


def _take(backend: StepFunctionsParserBackend, arn: str, worker: str | None) -> activity.ActivityTask | None:
    work = _Activities(backend).get(arn)
    while work is not None and work._tasks:  # noqa: SLF001 - it has no accessor
        task = work.get_task()
        endpoint = tokens.find(backend, task.task_token)
        if isinstance(endpoint, ActivityCallbackEndpoint):
            endpoint.notify_activity_task_start(worker_name=worker)
            return task
    return None
