"""Patches of Choice states: comparisons by type, and the error where no rule matches."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_func import (
    ComparisonFuncValue,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import (
    ComparisonVariable,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.factory import OperatorFactory
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations import (
    boolean_equals,
    numeric,
    string_operators,
    timestamp_operators,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from infra.local.engine.states import failures, times

Compare = Callable[[Any, Any], bool]
_PATTERN_PARTS = re.compile(r"\\(.)|(\*)|([^\\*]+|\\)", re.DOTALL)


def install_choice_comparisons() -> None:
    r"""Require both sides of a comparison to have the operator's type.

    moto compares values of different types in a Choice, or ends with a Python error, and reads `StringMatches` as a shell pattern.

    Where: the operators in moto/stepfunctions/parser/asl/component/state/choice/comparison/operator/implementations. On AWS a value of
    another type than the operator's never matches, and the other side may be a path of the context, too. The only wildcard is
    `*`; `\*` is an asterisk and `\\` a backslash.
    """
    boolean_equals.BooleanEqualsPath.eval = staticmethod(_equals_boolean_path)
    _hold(numeric, "Numeric", _is_number)
    _hold(string_operators, "String", lambda value: isinstance(value, str))
    _hold(timestamp_operators, "Timestamp", _is_timestamp)
    ComparisonFuncValue._eval_body = _eval_value  # noqa: SLF001 - what is patched
    string_operators.StringMatches._compare = staticmethod(_matches)  # noqa: SLF001 - what is patched


def _equals_boolean_path(env: Environment, value: str) -> None:
    variable = env.stack.pop()
    # JSON has one true and one false, so `is` tells true from 1.
    env.stack.append(
        isinstance(variable, bool) and variable is boolean_equals.extract_json(value, env.stack[-1])
    )


def _eval_value(function: ComparisonFuncValue, env: Environment) -> None:
    operator, value = OperatorFactory.get(function.operator_type), function.value
    if not (isinstance(value, str) and value.startswith("$$") and operator.impl_name().endswith("Path")):
        operator.eval(env=env, value=value)
        return
    # The operators read what is below the variable on the stack, which is otherwise the state's input.
    env.stack.insert(-1, env.states.context_object.context_object_data)
    operator.eval(env=env, value=value[1:])
    del env.stack[-2]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and times.read(value) is not None


def _hold(module: ModuleType, kind: str, is_right: Callable[[Any], bool]) -> None:
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
def _pattern(text: str) -> re.Pattern[str]:
    parts = (
        ".*" if star else re.escape(escaped or plain) for escaped, star, plain in _PATTERN_PARTS.findall(text)
    )
    return re.compile("".join(parts), re.DOTALL)


ORIGINAL = StateChoice._eval_state  # noqa: SLF001 - what is patched
_MISSED = "No branching option reached"


def install_choice_misses() -> None:
    """Fail with AWS's error where no rule matches or a variable is missing.

    moto ends a Choice that no rule matches with a Python error named States.Runtime, and passes over missing variables.

    Where: `StateChoice._eval_state` in moto/stepfunctions/parser/asl/component/state/choice/state_choice.py:59 and
    `ComparisonVariable._eval_body` in …/choice/comparison/comparison_variable.py:23. AWS has the error
    States.NoChoiceMatched; a rule over a path that finds nothing fails unless it is IsPresent.
    """
    StateChoice._eval_state = _eval_state  # noqa: SLF001 - as above
    ComparisonVariable._eval_body = _eval_variable  # noqa: SLF001 - as above


def _eval_state(state: StateChoice, env: Environment) -> None:
    try:
        ORIGINAL(state, env)
    except RuntimeError as error:
        if not error.args or not str(error.args[0]).startswith(_MISSED):
            raise
        cause = "Failed to transition out of the state. The state does not point to a next state."
        _fail(env, StatesErrorNameType.StatesNoChoiceMatched, cause)


def _eval_variable(comparison: ComparisonVariable, env: Environment) -> None:
    comparison.variable.eval(env)
    asks = comparison.comparison_function
    asks_presence = asks.operator_type is ComparisonOperatorType.IsPresent
    if isinstance(env.stack[-1], NoSuchVariable) and not asks_presence:
        _fail_at(env, comparison.variable.string_sampler.literal_value)
    try:
        asks.eval(env)
    except NoSuchJsonPathError as error:
        _fail_at(env, error.json_path)


def _fail_at(env: Environment, path: str) -> NoReturn:
    cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    _fail(env, StatesErrorNameType.StatesRuntime, cause)


def _fail(env: Environment, kind: StatesErrorNameType, cause: str) -> NoReturn:
    failures.fail_execution(env, kind, failures.with_state(env, cause))
