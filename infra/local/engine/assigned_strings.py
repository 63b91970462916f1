"""moto assigns string literals as they stand in the definition's JSON, escapes and all.

Where: `visitAssign_template_value_terminal_string_literal` in
moto/stepfunctions/parser/asl/parse/preprocessor.py:1435 takes off the quotes only, so that `States.StringToJson` of such
a variable, and every quote or line break in it, is wrong. `get_assigned_variables` in …/eval/variable_store.py:81 puts quotes
around text for the history without escaping it.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_terminal import (
    AssignTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

ORIGINAL = Preprocessor.visitAssign_template_value_terminal_string_literal


def install() -> None:
    """Read the literal as JSON."""
    Preprocessor.visitAssign_template_value_terminal_string_literal = _visit
    VariableStore.get_assigned_variables = _assigned_variables


def _visit(preprocessor: Any, ctx: Any) -> Any:
    text = ctx.string_literal().getText()
    return (
        AssignTemplateValueTerminalLit(value=json.loads(text))
        if text.startswith('"')
        else ORIGINAL(preprocessor, ctx)
    )


def _assigned_variables(store: Any) -> dict[str, str]:
    names = store._declaration_tracing  # noqa: SLF001 - what is mended
    return {name: to_json_str(store.get(name), separators=(",", ":")) for name in names}
