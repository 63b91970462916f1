"""moto assigns string literals as they stand in the definition's JSON, escapes and all.

Where: `visitAssign_template_value_terminal_string_literal` in
moto/stepfunctions/parser/asl/parse/preprocessor.py:1435 takes off the quotes only, so that `States.StringToJson` of such
a variable, and every quote or line break in it, is wrong.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_terminal import (
    AssignTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

ORIGINAL = Preprocessor.visitAssign_template_value_terminal_string_literal


def install() -> None:
    """Read the literal as JSON."""
    Preprocessor.visitAssign_template_value_terminal_string_literal = _visit


def _visit(preprocessor: Any, ctx: Any) -> Any:
    text = ctx.string_literal().getText()
    return (
        AssignTemplateValueTerminalLit(value=json.loads(text))
        if text.startswith('"')
        else ORIGINAL(preprocessor, ctx)
    )
