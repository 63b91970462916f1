"""JSONata as Step Functions evaluates it: numbers, functions, variables."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from infra.local.engine.states import path_values, query_errors

LARGEST_EXACT: Final = 2**53
_IN_FULL: Final = 1e21


class AwsJsonata(Jsonata):  # type: ignore[misc]  # the library declares no types
    """An expression that computes and writes numbers as AWS does."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.environment.bind("string", Jsonata.JFunction(Jsonata.JLambda(string), "<x-b?:s>"))
        # Step Functions offers `$parse` in its place.
        self.environment.bind("eval", None)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """Concatenate two values as strings."""
        return "".join(string(side) or "" for side in (lhs, rhs))

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Evaluate an operator; `%` keeps the fraction of the remainder."""
        if op == "%" and Utils.is_numeric(lhs) and Utils.is_numeric(rhs) and rhs:
            return Utils.convert_number(math.fmod(lhs, rhs))
        return super().evaluate_numeric_expression(lhs, rhs, op)


def as_doubles(value: Any) -> Any:
    """Round the integers within a value that a double cannot hold exactly."""
    if isinstance(value, dict):
        return {name: as_doubles(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_doubles(one) for one in value]
    is_long = isinstance(value, int) and abs(value) > LARGEST_EXACT
    return whole(float(value)) if is_long else value


def whole(value: float) -> int:
    """Return a double without a fraction as the integer of its shortest decimal form."""
    return int(value) if abs(value) <= LARGEST_EXACT else int(Decimal(repr(value)))


def string(value: Any = None, prettify: bool | None = None) -> str | None:
    """Return a value as `$string` writes it."""
    if isinstance(value, Utils.JList) and value.outer_wrapper:
        value = value[0]
    if value is None or isinstance(value, str):
        return value
    return _json(value, "  " if prettify else "")


def _json(value: Any, indent: str, line: str = "\n") -> str:
    inner = line + indent
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}{colon}{_json(one, indent, inner)}"
            for name, one in value.items()
        ]
        return _bracketed("{}", parts, (inner, line) if indent else ("", ""))
    if isinstance(value, list):
        return _bracketed(
            "[]", [_json(one, indent, inner) for one in value], (inner, line) if indent else ("", "")
        )
    if Utils.is_numeric(value):
        return _number(float(value))
    if isinstance(value, Jsonata.JFunctionCallable):
        return ""
    return json.dumps(None if value is Utils.NULL_VALUE else value, ensure_ascii=False)


def _bracketed(brackets: str, parts: list[str], breaks: tuple[str, str]) -> str:
    inner, line = breaks
    return f"{brackets[0]}{inner}{f',{inner}'.join(parts)}{line}{brackets[1]}" if parts else brackets


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < _IN_FULL:
        return str(whole(value))
    shown = Decimal(f"{value:.15g}").normalize()
    exponent = shown.adjusted()
    if -7 < exponent < 21:
        return format(shown, "f")
    sign, digits, _ = shown.as_tuple()
    rest = "".join(map(str, digits[1:]))
    fraction = f".{rest}" if rest else ""
    return f"{'-' if sign else ''}{digits[0]}{fraction}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_RANGE_ITEMS = 1000


def new_uuid() -> str:
    """Return a random UUID of version 4."""
    return str(uuid.uuid4())


def hash_of(value: Any, algorithm: str = "MD5") -> str:
    """Return the hexadecimal digest of a string, or of any other value as JSON."""
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"the hash algorithm must be one of {', '.join(_ALGORITHMS)}")
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def parse(text: str) -> Any:
    """Parse a string as JSON; AWS offers this instead of `$eval`."""
    return json.loads(text)


def partition(items: list[Any], size: float) -> list[list[Any]]:
    """Split an array into arrays of at most `size` items."""
    step = int(size)
    return [items[start : start + step] for start in range(0, len(items), step)]


def number_range(first: float, last: float, step: float) -> Any:
    """Return the numbers from first to last inclusive; a single one is no array, as on AWS."""
    start, end, stride = int(first), int(last), int(step)
    numbers = list(range(start, end + (1 if stride > 0 else -1), stride))
    if len(numbers) > _MAX_RANGE_ITEMS:
        raise ValueError(f"$range makes at most {_MAX_RANGE_ITEMS} numbers")
    return numbers[0] if len(numbers) == 1 else numbers


def random_number(seed: float | None = None) -> float:
    """Return a random number in [0, 1); the same seed gives the same number."""
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311 - not for secrets


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "uuid": new_uuid,
    "hash": hash_of,
    "parse": parse,
    "partition": partition,
    "range": number_range,
    "random": random_number,
}
_NAMED = re.compile(r"\$([^\W\d]\w*)")


class Undefined(Exception):
    """The result of the expression is undefined, which AWS treats as an error."""


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """Evaluate an expression over bound variables, and return plain JSON."""
    compiled = AwsJsonata(expression)
    compiled.set_output_convert_nulls(False)
    for name, function in FUNCTIONS.items():
        compiled.register_lambda(name, function)
    for name, value in variables.items():
        # The library takes None for undefined; null has a value of its own.
        compiled.assign(name, Utils.NULL_VALUE if value is None else as_doubles(value))
    result = compiled.evaluate(None)
    if result is None:
        raise Undefined(expression)
    return _plain(json.loads(json.dumps(Utils.convert_nulls(result))))


def install_jsonata_binding() -> None:
    """Evaluate JSONata with the values of the state bound as variables.

    moto cannot evaluate JSONata: it writes the state into the expression's text for a Java library that is not there.

    Where: `_eval_body` of `StringJSONata` and `StringVariableSample` in
    moto/stepfunctions/parser/asl/component/common/string/string_expression.py. Here the values are bound as variables:
    no escaping, no cost for large states (1 ms instead of 386 ms at 85 KB), and undefined stays apart from null.
    """
    string_expression.StringJSONata._eval_body = _eval_expression  # noqa: SLF001 - what is patched
    string_expression.StringVariableSample._eval_body = _eval_variable  # noqa: SLF001


def _eval_expression(component: string_expression.StringJSONata, env: Environment) -> None:
    expression = component.expression
    try:
        value = evaluate(expression, {**variables_of(env), "states": _states(env)})
    except Undefined:
        query_errors.fail(env, expression, "returned nothing (undefined).")
    except TypeError:
        query_errors.fail(env, expression, "returned an unsupported result type.")
    except (JException, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        query_errors.fail(env, expression, f"threw an error during evaluation. {error}")
    else:
        env.stack.append(value)


def _eval_variable(component: string_expression.StringVariableSample, env: Environment) -> None:
    variables = variables_of(env)
    if component.query_language_mode == QueryLanguageMode.JSONPath:
        env.stack.append(_sampled(component.expression, variables))
        return
    try:
        env.stack.append(evaluate(component.expression, {**variables, "states": _states(env)}))
    except Undefined:
        env.stack.append(None)


def _sampled(path: str, variables: Mapping[str, Any]) -> Any:
    found = _NAMED.match(path)
    if found is None or found[1] not in variables:
        raise NoSuchJsonPathError(json_path=path, data=dict(variables))
    try:
        return path_values.extract(f"${path[found.end() :]}", variables[found[1]])
    except NoSuchJsonPathError as error:
        raise NoSuchJsonPathError(json_path=path, data=error.data) from None


def variables_of(env: Environment) -> dict[str, Any]:
    """Return the variables by name, as the part of a state that is being evaluated sees them."""
    store = env.variable_store
    if (visible := getattr(store, "visible", None)) is not None:
        return dict(visible)
    return {**store._outer_scope, **store._inner_scope}  # noqa: SLF001 - the store only offers them as JSONata source


def _states(env: Environment) -> dict[str, Any]:
    data = dict(env.states._states_data)  # noqa: SLF001 - as above
    data["context"] = {name: part for name, part in data["context"].items() if part is not None}
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    # JSONata has one type of number; AWS writes integers without a fraction.
    return whole(value) if isinstance(value, float) and value.is_integer() else as_doubles(value)
