"""moto ends a Choice that no rule fits with a Python error called States.Runtime, and passes over missing variables.

Where: `StateChoice._eval_state` in moto/stepfunctions/parser/asl/component/state/choice/state_choice.py:59 and
`ComparisonVariable._eval_body` in …/choice/comparison/comparison_variable.py:23. AWS has the error
States.NoChoiceMatched; a rule over a path that leads nowhere fails unless it asks whether it is there.
"""

from __future__ import annotations

from typing import Any, NoReturn

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import (
    ComparisonVariable,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from infra.local.engine import failure_events

ORIGINAL = StateChoice._eval_state  # noqa: SLF001 - what is mended
_MISSED = "No branching option reached"


def install() -> None:
    """Give the miss its name."""
    StateChoice._eval_state = _eval_state  # noqa: SLF001 - as above
    ComparisonVariable._eval_body = _eval_variable  # noqa: SLF001 - as above


def _eval_state(state: Any, env: Any) -> None:
    try:
        ORIGINAL(state, env)
    except RuntimeError as error:
        if not error.args or not str(error.args[0]).startswith(_MISSED):
            raise
        cause = "Failed to transition out of the state. The state does not point to a next state."
        _fail(env, StatesErrorNameType.StatesNoChoiceMatched, cause)


def _eval_variable(comparison: Any, env: Any) -> None:
    comparison.variable.eval(env)
    asks = comparison.comparison_function
    asks_presence = asks.operator_type is ComparisonOperatorType.IsPresent
    if isinstance(env.stack[-1], NoSuchVariable) and not asks_presence:
        _fail_at(env, comparison.variable.string_sampler.literal_value)
    try:
        asks.eval(env)
    except NoSuchJsonPathError as error:
        _fail_at(env, error.json_path)


def _fail_at(env: Any, path: str) -> NoReturn:
    cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    _fail(env, StatesErrorNameType.StatesRuntime, cause)


def _fail(env: Any, kind: StatesErrorNameType, cause: str) -> NoReturn:
    name = StatesErrorName(typ=kind)
    told = ExecutionFailedEventDetails(error=name.error_name, cause=failure_events.with_state(env, cause))
    details = EventDetails(executionFailedEventDetails=told)
    raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, details)) from None
