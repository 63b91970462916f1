"""Patches of paths: what they find, where results are written, how they fail."""

from __future__ import annotations

import copy
import importlib
import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.path.input_path import InputPath
from moto.stepfunctions.parser.asl.component.common.path.items_path import ItemsPath
from moto.stepfunctions.parser.asl.component.common.path.output_path import OutputPath
from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJsonPath
from moto.stepfunctions.parser.asl.component.common.timeouts.heartbeat import HeartbeatSecondsPath
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSecondsPath
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_dynamodb import (
    StateTaskServiceDynamoDB,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import (
    StateTaskActivity,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError, extract_json

from infra.local.engine.states import failures, json_paths

ORIGINAL_JSON_PATH_VALUES = json_path.extract_json
_ENGINE = "moto.stepfunctions.parser.asl"
_OPERATORS = f"{_ENGINE}.component.state.choice.comparison.operator.implementations"
_READERS = (
    f"{_ENGINE}.utils.json_path",
    f"{_ENGINE}.eval.states",
    f"{_ENGINE}.component.common.string.string_expression",
    f"{_ENGINE}.component.intrinsic.argument.argument",
    f"{_OPERATORS}.boolean_equals",
    f"{_OPERATORS}.numeric",
    f"{_OPERATORS}.string_operators",
    f"{_OPERATORS}.timestamp_operators",
)


def install_json_path_values() -> None:
    """Evaluate paths by the rules of the Java library Jayway.

    moto returns a list for every path with an index, and nothing for a filter without a match.

    Where: `extract_json` in moto/stepfunctions/parser/asl/utils/json_path.py:49. AWS evaluates paths as the Java library Jayway
    does: a definite path gives its value, any other a list of its matches, be it empty. moto's library has neither `in`, `=~` and
    the like nor `length()`, and applies a filter to the values of objects.
    """
    for name in _READERS:
        vars(importlib.import_module(name))["extract_json"] = extract


def extract(path: str, data: Any) -> Any:
    """Return the value or the matches of a path."""
    try:
        found = json_paths.find(path, data)
    except LookupError:
        raise json_path.NoSuchJsonPathError(json_path=path, data=data) from None
    return found[0] if json_paths.read(path).is_definite else found


ORIGINALS = {kind: kind._eval_body for kind in (InputPath, OutputPath, ItemsPath)}  # noqa: SLF001 - what is patched
ORIGINAL_SECONDS = {kind: kind._eval_seconds for kind in (TimeoutSecondsPath, HeartbeatSecondsPath)}  # noqa: SLF001
ORIGINAL_FROM_ERROR = {
    kind: kind._from_error  # noqa: SLF001 - as above
    for kind in (ExecutionState, StateTaskActivity, StateTaskLambda, StateTaskServiceDynamoDB)
}
ORIGINAL_PATH = StringJsonPath._eval_body  # noqa: SLF001 - as above
_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']+)'\]|\[(\d+)\]")


def install_path_errors() -> None:
    """Fail with AWS's error and cause where a path finds nothing.

    moto reports a path that finds nothing in other words than AWS, and lets some of them end as Python errors.

    Where: `InputPath` and `TimeoutSecondsPath` in moto/stepfunctions/parser/asl/component/common/{path/input_path.py:48,
    timeouts/timeout.py:97} say "No results for path" of any path; `OutputPath` and `ItemsPath` fall through to
    `Program._eval_body` (…/program/program.py:92), Task parameters to TaskFailed (…/state/exec/execute_state.py:138). AWS
    reports them as the Java library that it uses does: the first missing step decides. For an `ItemsPath` to anything but an
    array moto names the Python type, with the error of JSONata.
    """
    for kind in ORIGINALS:
        kind._eval_body = _eval_checked  # noqa: SLF001 - as above
    for kind in ORIGINAL_SECONDS:
        kind._eval_seconds = _eval_seconds  # noqa: SLF001 - as above
    StringJsonPath._eval_body = _eval_path  # noqa: SLF001 - as above
    for kind in ORIGINAL_FROM_ERROR:
        kind._from_error = _naming_the_field(kind)  # noqa: SLF001 - as above


def missing(path: str, data: Any) -> str:
    """Return the message of the Java library for the first missing step of a path."""
    way, steps = "$", list(_STEP.finditer(path))
    for number, step in enumerate(steps):
        name, index = step.group(1) or step.group(2), step.group(3)
        way += f"['{name}']" if name else f"[{index}]"
        found = _child(data, name, index)
        if found is None:
            is_last = number == len(steps) - 1
            return f"No results for path: {way}" if is_last else f"Missing property in path {way}"
        (data,) = found
    return f"No results for path: {way}"


def _child(data: Any, name: str | None, index: str | None) -> tuple[Any] | None:
    if name is not None:
        return (data[name],) if isinstance(data, dict) and name in data else None
    at = int(index or 0)
    return (data[at],) if isinstance(data, list) and at < len(data) else None


def _eval_path(component: StringJsonPath, env: Environment) -> None:
    try:
        ORIGINAL_PATH(component, env)
    except NoSuchJsonPathError as error:
        # The environment is in another frame by the time that the error is reported.
        error.field = env.next_field_name
        raise


def _check(component: EvalComponent, data: Any, env: Environment) -> None:
    sampler = component.string_sampler
    if type(sampler) is StringJsonPath and sampler.json_path != "$":
        try:
            extract_json(sampler.json_path, data)
        except NoSuchJsonPathError as error:
            _fail(env, f"Invalid path '{error.json_path}' : {missing(error.json_path, data)}")


def _eval_checked(component: EvalComponent, env: Environment) -> None:
    data = env.stack[-1] if env.stack and not isinstance(component, InputPath) else env.states.get_input()
    _check(component, data, env)
    ORIGINALS[type(component)](component, env)
    if isinstance(component, ItemsPath) and not isinstance(env.stack[-1], list):
        _fail(env, f'Reference path "{component.string_sampler.literal_value}" must point to array.')


def _eval_seconds(component: EvalComponent, env: Environment) -> int:
    _check(component, env.stack[-1] if env.stack else env.states.get_input(), env)
    seconds: int = ORIGINAL_SECONDS[type(component)](component, env)
    return seconds


def _fail(env: Environment, cause: str) -> NoReturn:
    failures.fail_execution(env, StatesErrorNameType.StatesRuntime, cause)


def _naming_the_field(kind: type[ExecutionState]) -> Callable[..., FailureEvent]:
    original = ORIGINAL_FROM_ERROR[kind]

    def from_error(state: ExecutionState, env: Environment, ex: Exception) -> FailureEvent:
        if not isinstance(ex, NoSuchJsonPathError):
            return original(state, env=env, ex=ex)
        data = to_json_str(ex.data, separators=(",", ":"))
        field = getattr(ex, "field", env.next_field_name)
        where = f"specified for the field '{field}' could not be found in the input '{data}'"
        cause = f"The JSONPath '{ex.json_path}' {where}"
        return failures.execution_failed(env, StatesErrorNameType.StatesRuntime, cause)

    return from_error


ORIGINAL_RESULT_PATHS = ResultPath._eval_body  # noqa: SLF001 - what is patched


def install_result_paths() -> None:
    """Write a result into a copy of the input, and fail with AWS's error.

    moto writes a result with a library that changes the state's own input, and ends with a Python error outside an object.

    Where: `ResultPath._eval_body` in moto/stepfunctions/parser/asl/component/common/path/result_path.py:27. On AWS that
    is States.ResultPathMatchFailure, and the input is the same for later readers.
    """
    ResultPath._eval_body = _eval_result_path  # noqa: SLF001 - as above


def _eval_result_path(component: ResultPath, env: Environment) -> None:
    given = env.states.get_input()
    if component.result_path_src is None:
        env.stack.clear()
        env.stack.append(given)
        return
    result, made = env.stack.pop(), [copy.deepcopy(given)]
    place: Any = made
    at: Any = 0
    for step in json_paths.read(component.result_path_src).steps:
        key: Any = step.names[0] if step.names else step.indexes[0]
        if isinstance(place, dict):
            place.setdefault(at, {})
        place, at = _writable(env, place[at], key), key
    place[at] = result
    env.stack.append(made[0])


def _writable(env: Environment, found: Any, key: Any) -> Any:
    if isinstance(key, int):
        fits = isinstance(found, list) and -len(found) <= key < len(found)
    else:
        fits = isinstance(found, dict)
    return found if fits else _fail_at_result_path(env, key, found)


def _fail_at_result_path(env: Environment, key: str | int, found: Any) -> NoReturn:
    words = f'Unable to apply step "{key}" to input {json.dumps(found, separators=(",", ":"), ensure_ascii=False)}'
    kind = StatesErrorNameType.StatesResultPathMatchFailure
    failures.fail_execution(env, kind, failures.with_state(env, words))
