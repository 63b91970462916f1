"""JSONata that ends: every node of the syntax tree counts, and every intermediate value."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.parser import Parser
from jsonata.utils import Utils

from stepward.expressions import step_functions
from stepward.expressions.bounded_functions import bounded
from stepward.expressions.bounds import CELL_BYTES, MAX_VALUE_DEPTH, Bounds, Exceeded
from stepward.expressions.exact_jsonata import ExactJsonata

_TUPLE_BYTES: Final = 300
_INDEX_BYTES: Final = 64
_COPIED_BYTES: Final = 56
_COPY_BYTES: Final = 8
"""Bytes of a character read as JSON: short names and numbers take more as values than as text."""
_MOST_OPEN_PARAMETERS: Final = 2
"""Open parameters of a function's signature: the library tries all ways to match `+` and `?`."""


@cache
def _functions(own: Any) -> Any:
    """Wrap the functions of the language and of Step Functions in bounds, once a process."""
    frame = Jsonata.Frame(own)
    step_functions.bind(frame)
    return bounded(frame)


class BoundedJsonata(ExactJsonata):
    """An expression that may be evaluated many times, each time within `Bounds` of its own."""

    bounds: Bounds

    def __init__(self, source: str, regex_engine: Callable[[str, Any], Any]) -> None:
        super().__init__(source, regex_engine)
        self.environment = self.create_frame(_functions(self.environment.parent))
        self._item_bytes = 0
        self._gathers_at = 0

    def value(self, variables: Mapping[str, Any]) -> Any:
        """Evaluate over named values, and return the result as JSON has it.

        Raises:
            TypeError: The result is a function.
        """
        one = copy.copy(self)
        one.bounds = Bounds()
        one.parser = Jsonata.get_parser()
        one.set_output_convert_nulls(False)
        Jsonata.CURRENT.jsonata = one
        try:
            return one.plain(one.evaluate(None, variables))
        finally:
            # What it was given is not kept until the next expression of this thread comes.
            del Jsonata.CURRENT.jsonata

    def plain(self, value: Any, levels: int = MAX_VALUE_DEPTH) -> Any:
        """Copy a value as JSON has it, without anything of the library's or of its variables."""
        if value is Utils.NULL_VALUE:
            return None
        if levels < 0:
            raise Exceeded(f"it brings a value that is nested deeper than {MAX_VALUE_DEPTH} levels")
        if isinstance(value, list | dict):
            self.bounds.make(_COPIED_BYTES + 2 * CELL_BYTES * len(value))
        if isinstance(value, dict):
            return {_text(name): self.plain(one, levels - 1) for name, one in value.items()}
        if isinstance(value, list):
            return [self.plain(one, levels - 1) for one in value]
        if isinstance(value, str):
            return _text(value)
        if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        raise TypeError("it gave a function, which is not a value; call it")

    def _eval(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002  the library's name
        bounds = self.bounds
        bounds.enter()
        found = super()._eval(expr, input, environment)
        bounds.depth -= 1
        if bounds.depth == self._gathers_at and isinstance(found, list):
            bounds.make(self._item_bytes * len(found))
        return found

    def evaluate_step(self, expr: Any, input: Any, environment: Any, last_step: bool) -> Any:  # noqa: A002
        """Evaluate a step of a path for each result of the step before."""
        before = self._gather(2 * CELL_BYTES)
        found = super().evaluate_step(expr, input, environment, last_step)
        self._item_bytes, self._gathers_at = before
        return found

    def evaluate_tuple_step(self, expr: Any, input: Any, tuple_bindings: Any, environment: Any) -> Any:  # noqa: A002
        """Evaluate a step of a path that binds names, which makes an object for each result."""
        found_before = input if tuple_bindings is None else tuple_bindings
        self.bounds.make(_TUPLE_BYTES * len(found_before or ()))
        before = self._gather(_TUPLE_BYTES)
        found = super().evaluate_tuple_step(expr, input, tuple_bindings, environment)
        self._item_bytes, self._gathers_at = before
        return found

    def evaluate_filter(self, predicate: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Filter by a condition or by indexes, which are searched for each item."""
        before = self._gather(_INDEX_BYTES)
        found = super().evaluate_filter(predicate, input, environment)
        self._item_bytes, self._gathers_at = before
        return found

    def _gather(self, item_bytes: int) -> tuple[int, int]:
        """Count from now on the items of each list that the node's own nodes give.

        The node puts them all into one list.

        Returns:
            What was counted before. After an error the counting stops: it ends the evaluation.
        """
        before = self._item_bytes, self._gathers_at
        self._item_bytes, self._gathers_at = item_bytes, self.bounds.depth
        return before

    def evaluate_unary(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Make a list or an object, or negate a number."""
        found = super().evaluate_unary(expr, input, environment)
        return self.bounds.keep(found) if isinstance(found, list) else found

    def evaluate_group_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Group values into an object by name."""
        return self.bounds.keep(super().evaluate_group_expression(expr, input, environment))

    def reduce_tuple_stream(self, tuple_stream: Any) -> Any:
        """Merge the tuples of a group; the library copies its result for each further one."""
        if isinstance(tuple_stream, list):
            self.bounds.make(CELL_BYTES * len(tuple_stream) ** 2)
        return super().reduce_tuple_stream(tuple_stream)

    def evaluate_wildcard(self, expr: Any, input: Any) -> Any:  # noqa: A002
        """Return all fields; the library copies its result for each field that is a list."""
        self.bounds.size_of(input)
        fields = list(input.values()) if isinstance(input, dict) else input if isinstance(input, list) else []
        lists = sum(isinstance(one, list) for one in fields)
        self.bounds.make(CELL_BYTES * lists * len(fields))
        return self.bounds.keep(super().evaluate_wildcard(expr, input))

    def evaluate_descendants(self, expr: Any, input: Any) -> Any:  # noqa: A002
        """Return all values within a value."""
        self.bounds.make(self.bounds.size_of(input) // 4)
        return super().evaluate_descendants(expr, input)

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        """Return the whole numbers of a range."""
        if isinstance(lhs, int) and isinstance(rhs, int):
            self.bounds.make(5 * CELL_BYTES * max(0, rhs - lhs + 1))
        return super().evaluate_range_expression(lhs, rhs)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """Concatenate two values as texts."""
        self.bounds.make_text(self.bounds.size_of(lhs, rhs))
        return super().evaluate_string_concat(lhs, rhs)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Compare two values with all that is in them."""
        self.bounds.size_of(lhs, rhs)
        return super().evaluate_equality_expression(lhs, rhs, op)

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        """Search a value in a list."""
        self.bounds.size_of(lhs, rhs)
        return super().evaluate_includes_expression(lhs, rhs)

    def evaluate_lambda(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Define a function."""
        signature = vars(expr).get("signature")
        if signature is not None:
            pattern = str(vars(signature).get("_signature"))
            if pattern.count("+") + pattern.count("?") > _MOST_OPEN_PARAMETERS:
                raise Exceeded(f"a function's signature has more than {_MOST_OPEN_PARAMETERS} of + ? -")
        return super().evaluate_lambda(expr, input, environment)

    def evaluate_transform_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Define a function that changes a copy of its argument."""
        made = super().evaluate_transform_expression(expr, input, environment)
        made.function = _Transform(made.function)
        return made

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Call a function, and raise where the library only logs that it is none."""
        if not (self.is_function_like(proc) or isinstance(proc, Jsonata.JFunction | Parser.Symbol)):
            raise JException("T1006", 0)
        return super().apply_inner(proc, args, input, environment)


def _text(value: str) -> str:
    """Refuse an unpaired surrogate, which cannot be sent or stored."""
    if not value.isascii():
        value.encode()
    return value


class _Transform(Jsonata.JFunctionCallable):  # type: ignore[misc]  # the library declares no types
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def call(self, input: Any, args: Any) -> Any:  # noqa: A002
        bounds = Jsonata.CURRENT.jsonata.bounds
        bounds.make(_COPY_BYTES * bounds.size_of(args[0]))
        with bounds.changing():
            changed = self._inner.call(input, args)
        return bounds.keep(changed)
