"""moto shows `$states.result` and `$states.errorOutput` as null where AWS has them undefined.

Where: `States.reset` in moto/stepfunctions/parser/asl/eval/states.py sets both to None at the start of each state, so
an expression that reads a result too early gets null on the laptop and fails on AWS.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.stepfunctions.parser.asl.eval.states import States

ORIGINAL = States.reset


def install() -> None:
    """Replace the reset."""
    States.reset = _reset


def _reset(states: Any, input_value: Any) -> None:
    data = states._states_data  # noqa: SLF001 - the engine offers no other way to its own data
    data["input"] = copy.deepcopy(input_value)
    data.pop("result", None)
    data.pop("errorOutput", None)
