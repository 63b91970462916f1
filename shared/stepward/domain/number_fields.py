"""Numbers in what people and models send: a text stands for one only as JSON would write it.

Python reads `1_000`, `NaN` and the digits of every script as numbers; whoever wrote them meant something else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from stepward.domain.numbers import is_written_as_json, shown


def as_written(value: Any) -> Any:
    """Let a number pass, or a text that is one; raises `ValueError`."""
    if isinstance(value, bool) or (isinstance(value, str) and not _is_number(value)):
        raise ValueError(f"{shown(str(value))!r} is not a number as JSON writes it")
    return value


Whole = Annotated[int, BeforeValidator(as_written)]
Fraction = Annotated[float, BeforeValidator(as_written)]
Exact = Annotated[Decimal, BeforeValidator(as_written)]


def misread(given: Any, taken: Any, path: str = "") -> Iterator[str]:
    """Name the values for which a text was taken for a number although JSON would not write one like that.

    Args:
        given: What was sent.
        taken: What a model made of it.
        path: Where the two stand.
    """
    if isinstance(given, str):
        if isinstance(taken, int | float | Decimal) and not isinstance(taken, bool) and not _is_number(given):
            yield f"{path}: {shown(given)!r} is not a number"
        return
    for name, one, other in _pairs(given, taken):
        yield from misread(one, other, f"{path}.{name}" if path else name)


def _pairs(given: Any, taken: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(given, dict) and isinstance(taken, BaseModel):
        for name, field in type(taken).model_fields.items():
            found = given.get(field.alias or name, given.get(name))
            yield name, found, getattr(taken, name)
    elif isinstance(given, dict) and isinstance(taken, dict):
        yield from ((str(name), given[name], taken[name]) for name in given.keys() & taken.keys())
    elif isinstance(given, list) and isinstance(taken, list | tuple):
        yield from ((str(at), *both) for at, both in enumerate(zip(given, taken, strict=False)))


def _is_number(text: str) -> bool:
    return is_written_as_json(text) and not math.isinf(float(text))
