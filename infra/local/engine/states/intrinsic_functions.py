"""Patches of intrinsic functions: what they compute, and how they fail.

moto's intrinsic functions fail as Python errors, and some of them on what AWS accepts.

Where: moto/stepfunctions/parser/asl/component/intrinsic/function/statesfunction: `ArrayRange` counts upwards only,
`ArrayUnique` and `ArrayContains` compare as Python does (1 is True, objects fail), `ArrayGetItem` accepts negative numbers,
`MathRandom` may return the end, `JsonToString` and those of Base64 accept ASCII only. AWS names the failure
States.IntrinsicFailure, and a path that finds nothing States.Runtime, with the call in the cause.
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any, NoReturn

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
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from infra.local.engine.states import failures, task_calls

ORIGINAL = StringIntrinsicFunction._eval_body  # noqa: SLF001 - what is patched
_MOST_ITEMS = 1000
_FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError)


def install_intrinsic_functions() -> None:
    """Compute and fail as AWS's intrinsic functions do."""
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
    cause = f"The function '{_source(component)}' had the following error: {what}"
    if kind is not StatesErrorNameType.StatesRuntime:
        # moto itself adds the state to the cause of States.Runtime.
        cause = failures.with_state(env, cause)
    failures.fail_execution(env, kind, cause)


def _source(component: Any) -> str:
    try:
        source: str = json.loads(f'"{component.intrinsic_function_derivation}"', strict=False)
    except ValueError:
        return str(component.intrinsic_function_derivation)
    return source


def _over_arguments(function: Any) -> Any:
    def eval_body(component: Any, env: Any) -> None:
        component.argument_list.eval(env=env)
        env.stack.append(function(*env.stack.pop()))

    return eval_body


def _as_json(value: Any) -> str:
    # Numbers are equal by value, and nothing else is equal to a number.
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
