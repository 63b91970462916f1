"""moto's intrinsic functions fail as Python errors, and some of them on what AWS takes.

Where: moto/stepfunctions/parser/asl/component/intrinsic/function/statesfunction: `ArrayRange` counts upwards only, `ArrayUnique` and
`ArrayContains` ask Python whether values are equal (1 is True, objects cannot be asked), `ArrayGetItem` takes negative numbers,
`MathRandom` draws the end, too, `JsonToString` and those of Base64 know no letters beyond ASCII. AWS names the failure
States.IntrinsicFailure, and a path that leads nowhere States.Runtime, with the call in the words.
"""

from __future__ import annotations

import base64
import json
import random
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
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringIntrinsicFunction
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_contains import (
    ArrayContains,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_get_item import (
    ArrayGetItem,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_range import (
    ArrayRange,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_unique import (
    ArrayUnique,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.encoding_decoding.base_64_decode import (
    Base64Decode,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.encoding_decoding.base_64_encode import (
    Base64Encode,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.json_manipulation.json_to_string import (
    JsonToString,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.math_operations.math_random import (
    MathRandom,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from infra.local.engine.states import failures, task_calls

ORIGINAL = StringIntrinsicFunction._eval_body  # noqa: SLF001 - what is mended
_MOST_ITEMS = 1000
_FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError)


def install_intrinsic_functions() -> None:
    """Name failures, and do what AWS does."""
    StringIntrinsicFunction._eval_body = _eval_body  # noqa: SLF001 - as above
    functions = {
        ArrayContains: _contains,
        ArrayGetItem: _item,
        ArrayRange: _range,
        ArrayUnique: _unique,
        Base64Decode: lambda text: base64.b64decode(_text(text), validate=True).decode(),
        Base64Encode: lambda text: base64.b64encode(_text(text).encode()).decode(),
        JsonToString: task_calls.compact,
        MathRandom: _random,
    }
    for kind, function in functions.items():
        kind._eval_body = _over_arguments(function)  # noqa: SLF001 - as above


def _eval_body(component: Any, env: Any) -> None:
    try:
        ORIGINAL(component, env)
    except NoSuchJsonPathError as error:
        data = to_json_str(error.data, separators=(",", ":"))
        what = f"The JsonPath argument for the field '{error.json_path}' could not be found in the input '{data}'"
        _fail(env, StatesErrorNameType.StatesRuntime, component, what)
    except _FAULTS as error:
        _fail(env, StatesErrorNameType.StatesIntrinsicFailure, component, str(error))


def _fail(env: Any, kind: StatesErrorNameType, component: Any, what: str) -> NoReturn:
    name = StatesErrorName(typ=kind)
    cause = f"The function '{_said(component)}' had the following error: {what}"
    if kind is not StatesErrorNameType.StatesRuntime:
        # moto says where of States.Runtime by itself.
        cause = failures.with_state(env, cause)
    details = ExecutionFailedEventDetails(error=name.error_name, cause=cause)
    told = EventDetails(executionFailedEventDetails=details)
    raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, told)) from None


def _said(component: Any) -> str:
    try:
        said: str = json.loads(f'"{component.intrinsic_function_derivation}"', strict=False)
    except ValueError:
        return str(component.intrinsic_function_derivation)
    return said


def _over_arguments(function: Any) -> Any:
    def eval_body(component: Any, env: Any) -> None:
        component.argument_list.eval(env=env)
        env.stack.append(function(*env.stack.pop()))

    return eval_body


def _as_json(value: Any) -> str:
    # Numbers are equal by what they are worth, and nothing else is equal to a number.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, sort_keys=True)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"Expected an array, but got {json.dumps(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"Expected a string, but got {json.dumps(value)}")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"Expected a number, but got {json.dumps(value)}")
    return round(value)


def _contains(array: Any, sought: Any) -> bool:
    return _as_json(sought) in {_as_json(one) for one in _array(array)}


def _item(array: Any, index: Any) -> Any:
    if not 0 <= _whole(index) < len(_array(array)):
        raise IndexError(f"The index {_whole(index)} is outside an array of {len(array)} items")
    return array[_whole(index)]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    start, end, stride = _whole(first), _whole(last), _whole(step)
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > _MOST_ITEMS:
        raise ValueError(f"An array may not exceed {_MOST_ITEMS} items, but would have {len(numbers)}")
    return list(numbers)


def _unique(array: Any) -> list[Any]:
    return list({_as_json(one): one for one in reversed(_array(array))}.values())[::-1]


def _random(start: Any, end: Any, *seed: Any) -> int:
    return random.Random(*(_whole(one) for one in seed)).randrange(_whole(start), _whole(end))  # noqa: S311 - not for secrets
