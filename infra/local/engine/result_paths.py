"""moto writes a result with a library that changes the state's own input, and ends with a Python error where there is no object.

Where: `ResultPath._eval_body` in moto/stepfunctions/parser/asl/component/common/path/result_path.py:27. On AWS that
is States.ResultPathMatchFailure, and an input keeps what it was for those who read it later.
"""

from __future__ import annotations

import copy
import json
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
from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from infra.local.engine import failure_events, json_paths

ORIGINAL = ResultPath._eval_body  # noqa: SLF001 - what is mended


def install() -> None:
    """Write into a copy."""
    ResultPath._eval_body = _eval_body  # noqa: SLF001 - as above


def _eval_body(component: Any, env: Any) -> None:
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


def _writable(env: Any, found: Any, key: Any) -> Any:
    if isinstance(key, int):
        fits = isinstance(found, list) and -len(found) <= key < len(found)
    else:
        fits = isinstance(found, dict)
    return found if fits else _fail(env, key, found)


def _fail(env: Any, key: str | int, found: Any) -> NoReturn:
    name = StatesErrorName(typ=StatesErrorNameType.StatesResultPathMatchFailure)
    words = f'Unable to apply step "{key}" to input {json.dumps(found, separators=(",", ":"), ensure_ascii=False)}'
    details = ExecutionFailedEventDetails(error=name.error_name, cause=failure_events.with_state(env, words))
    told = EventDetails(executionFailedEventDetails=details)
    raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, told))
