r"""moto compares values of different kinds in a Choice, or ends with a Python error, and takes `StringMatches` for a shell's pattern.

Where: the operators in moto/stepfunctions/parser/asl/component/state/choice/comparison/operator/implementations. On AWS a value of
another kind than the operator's never fits, the other side may be a path of the context, too; the only wildcard is `*`, which `\*`
writes as itself and `\\` a backslash.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_func import (
    ComparisonFuncValue,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.factory import OperatorFactory
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations import (
    boolean_equals,
    numeric,
    string_operators,
    timestamp_operators,
)

from infra.local.engine import timestamps

Compare = Callable[[Any, Any], bool]
_SAID = re.compile(r"\\(.)|(\*)|([^\\*]+|\\)", re.DOTALL)


def install() -> None:
    """Hold both sides of every comparison to the operator's kind."""
    boolean_equals.BooleanEqualsPath.eval = staticmethod(_equals_boolean_path)
    _hold(numeric, "Numeric", _is_number)
    _hold(string_operators, "String", lambda value: isinstance(value, str))
    _hold(timestamp_operators, "Timestamp", _is_timestamp)
    ComparisonFuncValue._eval_body = _eval_value  # noqa: SLF001 - what is mended
    string_operators.StringMatches._compare = staticmethod(_matches)  # noqa: SLF001 - what is mended


def _equals_boolean_path(env: Any, value: str) -> None:
    variable = env.stack.pop()
    # JSON has one true and one false, so `is` tells true from 1.
    env.stack.append(
        isinstance(variable, bool) and variable is boolean_equals.extract_json(value, env.stack[-1])
    )


def _eval_value(function: Any, env: Any) -> None:
    operator, value = OperatorFactory.get(function.operator_type), function.value
    if not (isinstance(value, str) and value.startswith("$$") and operator.impl_name().endswith("Path")):
        operator.eval(env=env, value=value)
        return
    # The operators look into what is below the variable, which is the state's input otherwise.
    env.stack.insert(-1, env.states.context_object.context_object_data)
    operator.eval(env=env, value=value[1:])
    del env.stack[-2]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and timestamps.read(value) is not None


def _hold(module: Any, kind: str, is_right: Callable[[Any], bool]) -> None:
    for name, operator in vars(module).items():
        if name.startswith(kind) and not name.endswith("Path"):
            operator._compare = staticmethod(_held(operator._compare, is_right))  # noqa: SLF001 - as above


def _held(original: Compare, is_right: Callable[[Any], bool]) -> Compare:
    def compare(variable: Any, comparison_value: Any) -> bool:
        return is_right(variable) and is_right(comparison_value) and original(variable, comparison_value)

    return compare


def _matches(variable: Any, comparison_value: Any) -> bool:
    return isinstance(variable, str) and _pattern(comparison_value).fullmatch(variable) is not None


@functools.lru_cache(maxsize=1024)
def _pattern(said: str) -> re.Pattern[str]:
    parts = (".*" if star else re.escape(escaped or plain) for escaped, star, plain in _SAID.findall(said))
    return re.compile("".join(parts), re.DOTALL)
