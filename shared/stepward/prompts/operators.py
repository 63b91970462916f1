"""What a template computes with, each counted: showing values, going over them, and putting them together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from stepward.domain.numbers import written
from stepward.prompts.work import CHARS_A_STEP, MOST_WORK, Work, refused

WORK: Final = "_work"
"""The name under which a render's work stands beside its variables; no variable's name begins like that."""
MOST_BITS: Final = 256
"""How large whole numbers may grow."""


def work_of(context: Context) -> Work:
    """Return what counts the render."""
    found: Work = context[WORK]
    return found


def text_of(work: Work, value: Any) -> str:
    """Write a value as the prompt shows it: texts as they are, all else as JSON.

    Raises:
        InvalidRequest: It is none that JSON knows, such as `loop` itself.
        UndefinedError: It does not exist.
    """
    if isinstance(value, Undefined):
        return str(value)  # raises, and names what is missing
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return written(value)
    if isinstance(value, str):
        work.spend(1 + len(value) // CHARS_A_STEP)
        return value
    if not isinstance(value, list | tuple | dict):
        raise refused("the template shows what is no value.", "show a variable, or a member of one")
    return json.dumps(work.weighed(value), ensure_ascii=False, default=lambda one: text_of(work, one))


@pass_context
def shown(context: Context, value: Any) -> str:
    """Return the text between `{{` and `}}`."""
    return text_of(work_of(context), value)


@pass_context
def counted(context: Context, values: Any) -> Any:
    """Give what a loop goes over, a step for each."""
    if isinstance(values, Undefined):
        return iter(values)  # raises, and names what is missing
    if not isinstance(values, list | tuple | dict | str):
        raise refused(
            f"the template loops over {text_of(work_of(context), values)[:40]}.",
            "loop over a list, over an object's |items, or over range(…)",
        )
    return work_of(context).each(values)


@pass_context
def weighed(context: Context, value: Any) -> Any:
    """Let a list or an object that a template makes pass if it is small enough."""
    return work_of(context).weighed(value)


@pass_context
def joined(context: Context, parts: Any) -> Any:
    """Put the parts of `a ~ b` together."""
    work = work_of(context)
    return work.weighed("".join([text_of(work, one) for one in parts]))


@pass_context
def numbers(context: Context, first: int, *more: int) -> list[int]:
    """Give what `range(…)` does, as a list whose numbers have been counted."""
    made = range(first, *more)
    work_of(context).spend(
        MOST_WORK + 1 if made and abs(made[-1] - made[0]) // abs(made.step) > MOST_WORK else len(made)
    )
    return list(made)


def binary(context: Context, operator: str, left: Any, right: Any, table: Mapping[str, Any]) -> Any:
    """Compute `left operator right` where that stays small.

    Raises:
        InvalidRequest: Texts are multiplied or formatted, or a number would grow too large.
    """
    work = work_of(context)
    work.spend()
    if operator in {"*", "%"} and not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise refused(f"the template uses {operator} on what are no numbers.", "put texts together with ~")
    if operator == "*" and isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    made = table[operator](left, right)
    if isinstance(made, float) and not math.isfinite(made):
        raise refused("a number in the template grows without bound.", "use smaller numbers")
    return work.weighed(made)


def _check_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise refused(f"a number in the template grows over {MOST_BITS} bits.", "use smaller numbers")
