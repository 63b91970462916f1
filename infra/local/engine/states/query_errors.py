"""Patches of failed JSONata expressions: the field, the cause and the event.

moto reports that a JSONata expression failed, but not in which field, and not in AWS's words.

Where: moto/stepfunctions/parser/asl/jsonata/validations.py:32 and `ItemsJSONata` in …/state/exec/state_map/items/items.py:54.
AWS names the path to the expression (`Output/result`) in the cause and as `location`, and writes one EvaluationFailed, which
follows the event before the one that entered the state. moto names the Python type where the input of a Map without `Items` is
no array (…/state_map/state_map.py:230).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.assign.assign_template_binding import (
    AssignTemplateBinding,
)
from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_array import (
    AssignTemplateValueArray,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.jsonata.jsonata_template_binding import (
    JSONataTemplateBinding,
)
from moto.stepfunctions.parser.asl.component.common.jsonata.jsonata_template_value_array import (
    JSONataTemplateValueArray,
)
from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.choice.choice_rule import ChoiceRule
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import (
    ConditionStringJSONata,
)
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.state_map.items.items import ItemsJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.fail.cause_decl import Cause
from moto.stepfunctions.parser.asl.component.state.fail.error_decl import Error
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from infra.local.engine.states import failures

ORIGINAL = EvalComponent.eval
ORIGINAL_MAP = StateMap._eval_execution  # noqa: SLF001 - what is patched
_FIELDS = {
    "ArgumentsJSONataTemplateValueObject": "Arguments",
    "ArgumentsStringJSONata": "Arguments",
    "AssignDecl": "Assign",
    "ItemsArray": "Items",
    "ItemsJSONata": "Items",
    "ItemSelector": "ItemSelector",
    "MaxConcurrencyJSONata": "MaxConcurrency",
    "Output": "Output",
    "SecondsJSONata": "Seconds",
    "Timestamp": "Timestamp",
    "TimeoutSecondsJSONata": "TimeoutSeconds",
    "HeartbeatSecondsJSONata": "HeartbeatSeconds",
    "ToleratedFailureCountStringJSONata": "ToleratedFailureCount",
    "ToleratedFailurePercentageStringJSONata": "ToleratedFailurePercentage",
    "Error": "Error",
    "Cause": "Cause",
    "ConditionStringJSONata": "Condition",
}
_location = threading.local()
_names_a_step: dict[type, bool] = {}


def install_query_errors() -> None:
    """Track the path to the expression that is being evaluated, and check types of results."""
    EvalComponent.eval = _eval
    for array in (JSONataTemplateValueArray, AssignTemplateValueArray):
        array._eval_body = _eval_array  # noqa: SLF001 - what is patched
    ItemsJSONata._eval_body = _eval_items  # noqa: SLF001 - as above
    StateMap._eval_execution = _eval_map  # noqa: SLF001 - as above
    ConditionStringJSONata._eval_body = _eval_condition  # noqa: SLF001 - as above
    for kind in (Error, Cause):
        kind._eval_body = _eval_text  # noqa: SLF001 - as above


def fail(env: Environment, expression: str, what: str) -> NoReturn:
    """Write EvaluationFailed and end the state with States.QueryEvaluationError."""
    steps = _path()
    field = f" specified for the field '{steps}'" if steps else ""
    fail_with(env, f"The JSONata expression '{expression}'{field} {what}")


def fail_with(env: Environment, words: str, *, follows_entry: bool = False) -> NoReturn:
    """Do the same with a given message.

    With `follows_entry` the event follows the state's entry, else the event before that.
    """
    steps, cause = _path(), failures.with_state(env, words)
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    failed = EvaluationFailedEventDetails(cause=cause, error=name.error_name, state=env.next_state_name)
    if steps:
        failed["location"] = steps
    kind = HistoryEventType.EvaluationFailed
    details = EventDetails(evaluationFailedEventDetails=failed)
    entered = failures.follow_entry(env, itself=follows_entry)
    env.event_manager.add_event(context=env.event_history_context, event_type=kind, event_details=details)
    failures.remember_entry(env, entered)
    raise FailureEventException(
        FailureEvent(
            env=env, error_name=name, event_type=kind, event_details=failures.RecordedDetails(details)
        )
    )


def require(
    env: Environment, expression: str, value: Any, kind: str, is_right: Callable[[Any], bool]
) -> None:
    """Fail as AWS does when the result of an expression has the wrong type for its field."""
    if not is_right(value):
        shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        found = f"Expected '{kind}', but was '{_kind(value)}' for value: {shown}"
        fail(env, expression, f"returned an unexpected result type. {found}")


def _path() -> str:
    return "".join(_steps()).lstrip("/")


def _steps() -> list[str]:
    if not hasattr(_location, "steps"):
        _location.steps = []
    steps: list[str] = _location.steps
    return steps


@contextmanager
def _step(name: str) -> Iterator[None]:
    steps = _steps()
    steps.append(name)
    try:
        yield
    finally:
        steps.pop()


def _eval(component: EvalComponent, env: Environment) -> None:
    if not _is_step(type(component)):
        ORIGINAL(component, env)
        return
    if isinstance(component, StateChoice):
        for index, rule in enumerate(component.choices_decl.rules):
            rule.index = index
    name = _name(component)
    if name is None:
        ORIGINAL(component, env)
        return
    with _step(f"/{name}"):
        ORIGINAL(component, env)


def _is_step(kind: type) -> bool:
    # It is called for every part of every state, and issubclass of an abstract class is slow.
    if (found := _names_a_step.get(kind)) is None:
        named = StateChoice | JSONataTemplateBinding | AssignTemplateBinding | ChoiceRule
        found = _names_a_step[kind] = issubclass(kind, named) or kind.__name__ in _FIELDS
    return found


def _name(component: EvalComponent) -> str | None:
    if isinstance(component, JSONataTemplateBinding | AssignTemplateBinding):
        return str(component.identifier)
    if isinstance(component, ChoiceRule):
        # Rules within And, Or and Not have no number of their own.
        return None if getattr(component, "index", None) is None else f"Choices[{component.index}]"
    return _FIELDS.get(type(component).__name__)


def _eval_array(component: EvalComponent, env: Environment) -> None:
    values = []
    for index, value in enumerate(component.values):
        with _step(f"[{index}]"):
            value.eval(env)
        values.append(env.stack.pop())
    env.stack.append(values)


def _eval_map(state: StateMap, env: Environment) -> None:
    items = env.states.get_input()
    takes_input = state.query_language.query_language_mode is QueryLanguageMode.JSONata and not state.items
    if takes_input and state.item_reader is None and not isinstance(items, list):
        fail_with(
            env, f"Map state input must be an array but was: {to_json_str(items, separators=(',', ':'))}"
        )
    ORIGINAL_MAP(state, env)


def _eval_items(component: ItemsJSONata, env: Environment) -> None:
    component.string_jsonata.eval(env=env)
    expression = component.string_jsonata.literal_value
    require(env, expression, env.stack[-1], "array", lambda value: isinstance(value, list))


def _eval_condition(component: ConditionStringJSONata, env: Environment) -> None:
    component.string_jsonata.eval(env=env)
    expression = component.string_jsonata.literal_value
    require(env, expression, env.stack[-1], "boolean", lambda value: isinstance(value, bool))


def _eval_text(component: Error | Cause, env: Environment) -> None:
    expression = component.string_expression
    expression.eval(env=env)
    if isinstance(expression, StringJSONata):
        require(env, expression.literal_value, env.stack[-1], "string", lambda value: isinstance(value, str))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object", list: "array"}
    return kinds[type(value)]
