r"""moto takes some texts of a definition as they stand in its JSON, and reads the others as Python would.

Where: `_inner_string_of` in moto/stepfunctions/parser/asl/parse/preprocessor.py:399 leaves every escape in names of states and
fields, in paths and in error names; `from_string_literal` in …/antlt4utils/antlr4utils.py:31 makes two letters of an emoji that is
written `\ud83d\ude00`, as most writers of JSON do. So states and fields had other names than those that were written.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlt4utils.antlr4utils import is_terminal
from moto.stepfunctions.parser.asl.parse import preprocessor

ORIGINALS = (preprocessor.Preprocessor._inner_string_of, preprocessor.from_string_literal)  # noqa: SLF001 - what is mended


def install() -> None:
    """Read every text of a definition as JSON."""
    engine: Any = preprocessor
    engine.from_string_literal = read
    engine.Preprocessor._inner_string_of = staticmethod(_inner)  # noqa: SLF001 - as above


def read(parser_rule_context: Any) -> str:
    """Give the text that a part of a definition stands for."""
    text: str = parser_rule_context.getText()
    if not (text.startswith('"') and text.endswith('"')):
        return text
    said: str = json.loads(text, strict=False)
    return said


def _inner(parser_rule_context: Any) -> str | None:
    return None if is_terminal(parser_rule_context, ASLLexer.NULL) else read(parser_rule_context)
