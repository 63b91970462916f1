"""JSONata in `{% … %}`, the language that Step Functions speaks, bounded in time and depth."""

from __future__ import annotations

import json
from typing import Any, Final

from stepward.domain.errors import InvalidRequest, OutputMalformed
from stepward.models import expression_functions

TIMEOUT_MS: Final = 2_000
MAX_DEPTH: Final = 200


def is_expression(value: object) -> bool:
    """Tell whether a text is an expression as a whole."""
    return isinstance(value, str) and value.strip().startswith("{%") and value.strip().endswith("%}")


def check(expression: str, field: str) -> None:
    """Refuse an expression that cannot be parsed, before anything runs on it."""
    parse(expression, field)


def parse(expression: str, field: str) -> Any:
    """Give an expression's syntax tree, as the library makes it; raises `InvalidRequest`."""
    import jsonata  # noqa: PLC0415  only rooms that read rehearsals pay for it

    from stepward.models.exact_jsonata import ExactJsonata  # noqa: PLC0415  it imports the library

    try:
        return ExactJsonata(_source(expression), _linear_time).ast
    except (jsonata.JException, *_LIBRARY_FAULTS) as error:
        raise InvalidRequest(
            f"the expression {expression!r} cannot be read: {error}", field=field, fix="mend the JSONata"
        ) from error


def evaluate(expression: str, variables: dict[str, Any]) -> Any:
    """Evaluate an expression over named values; undefined is null.

    The library raises whatever its Python code raises (recursion, arithmetic, type errors), so all of `Exception`'s
    arithmetic and lookup branches are named: each is the script's fault, none is ours.
    """
    import jsonata  # noqa: PLC0415  only rooms that read rehearsals pay for it

    from stepward.models.exact_jsonata import ExactJsonata  # noqa: PLC0415  it imports the library

    try:
        compiled = ExactJsonata(_source(expression), _linear_time)
        frame = compiled.create_frame()
        frame.set_runtime_bounds(TIMEOUT_MS, MAX_DEPTH)
        expression_functions.bind(frame)
        for name, value in variables.items():
            frame.bind(name, value)
        return json.loads(json.dumps(compiled.evaluate(None, frame), default=_is_no_value))
    except (jsonata.JException, *_LIBRARY_FAULTS) as error:
        raise OutputMalformed(f"the expression {expression!r} failed: {error}") from error


def _is_no_value(found: Any) -> Any:
    """Refuse what JSON cannot say: the one such thing that an expression can bring is a function."""
    del found
    raise TypeError("it brought a function, which is no value; call it")


def _linear_time(pattern: str, flags: Any) -> Any:
    """Compile a regular expression so that no text can make it run for ever: back-references do not exist in RE2."""
    import re2  # noqa: PLC0415  only expressions with a pattern pay for it

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not flags.case_insensitive
    try:
        return re2.compile(f"(?m){pattern}" if flags.multiline else pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern /{pattern}/ cannot be read: {error}") from error


_LIBRARY_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def _source(expression: str) -> str:
    return expression.strip()[2:-2].strip()
