"""moto gives all attempts of a task one token, so that a second attempt ends at once by what ended the first.

Where: `_eval_body` of `StateTaskServiceCallback` in moto/stepfunctions/parser/asl/component/state/exec/state_task/service/
state_task_service_callback.py:311 makes the token before `_eval_state` of `ExecutionState` begins its attempts. On AWS
each attempt has a token of its own, and the tokens of those before are answered by TaskTimedOut.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)

ORIGINAL = ExecutionState._evaluate_with_timeout  # noqa: SLF001 - what is mended


def install() -> None:
    """Stand before each attempt of a task that waits for a token."""
    StateTaskServiceCallback._evaluate_with_timeout = _evaluate  # noqa: SLF001 - as above


def _evaluate(state: Any, env: Any) -> None:
    context = env.states.context_object
    is_retried = bool(context.context_object_data["State"]["RetryCount"])
    if is_retried and state.resource.condition == ResourceCondition.WaitForTaskToken:
        env.callback_pool_manager.add(context.update_task_token())
    ORIGINAL(state, env)
