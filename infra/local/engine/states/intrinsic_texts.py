r"""Patches of how intrinsic functions are parsed: literals, paths, `States.Format`.

moto parses an intrinsic function as it is written in the definition's JSON, and silently drops what it cannot read.

Where: `IntrinsicParser.parse` in moto/stepfunctions/parser/asl/parse/intrinsic/intrinsic_parser.py, whose lexer accepts one
bracket after a step of a path and neither null, an escaped quote (`\'`) nor JSON's own escapes, and whose visitor fails on
fractions; `States.Format` (…/component/intrinsic/function/statesfunction/generic/string_format.py) leaves the template to
Python. Here literals and paths are read first, and the grammar sees a token for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from antlr4 import CommonTokenStream, InputStream
from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicLexer import ASLIntrinsicLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicParser import ASLIntrinsicParser
from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import (
    ArgumentContextPath,
    ArgumentJsonPath,
    ArgumentLiteral,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.generic.string_format import (
    StringFormat,
)
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import IntrinsicParser
from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor

ORIGINAL = IntrinsicParser.parse
ORIGINAL_FORMAT = StringFormat._eval_body  # noqa: SLF001 - what is patched
_TOKEN = re.compile(
    r"(?P<text>'(?:[^'\\]|\\.)*')|(?P<path>\$\$?(?=[.\[\s,)]))|(?P<value>(?<=[(,\s])(?:null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"(?=[\s,)]))|(?P<other>.)",
    re.DOTALL,
)
_IN_PATH = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[(\[]|[)\]]|[^'\"()\[\],]+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLACES = re.compile(r"\\(.)|\{\}", re.DOTALL)


class FormatText(str):
    """A literal with its source, whose escapes mark braces that `States.Format` keeps."""

    __slots__ = ("source",)
    source: str


def install_intrinsic_texts() -> None:
    """Read literals and paths before the grammar, and format as AWS does."""
    IntrinsicParser.parse = staticmethod(_parse)
    StringFormat._eval_body = _eval_format  # noqa: SLF001 - as above


def _parse(src: str) -> Any:
    arguments: list[Any] = []
    text = "".join(_with_tokens(_decoded(src), arguments))
    visitor: Any = type("ArgumentVisitor", (Preprocessor,), {})
    visitor.visitFunc_arg_string = lambda _, ctx: ArgumentLiteral(arguments[_number(ctx.STRING())])
    visitor.visitFunc_arg_json_path = lambda _, ctx: ArgumentJsonPath(
        arguments[_number(ctx.JSON_PATH_STRING())]
    )
    visitor.visitFunc_arg_context_path = lambda _, ctx: ArgumentContextPath(
        arguments[_number(ctx.CONTEXT_PATH_STRING())]
    )
    tree = ASLIntrinsicParser(CommonTokenStream(ASLIntrinsicLexer(InputStream(text)))).func_decl()
    return visitor().visit(tree), tree


def _decoded(src: str) -> str:
    try:
        text: str = json.loads(f'"{src}"', strict=False)
    except ValueError:
        return src
    return text


def _with_tokens(text: str, arguments: list[Any]) -> Iterator[str]:
    """Yield the text with a token for each literal and path, and collect those."""
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        assert found is not None
        place = found.end()
        if found["text"]:
            arguments.append(_text(found["text"][1:-1]))
            yield f"'t{len(arguments) - 1}'"
        elif found["value"]:
            arguments.append(json.loads(found["value"]))
            yield f"'t{len(arguments) - 1}'"
        elif found["path"]:
            place = _end_of_path(text, place)
            arguments.append(text[found.start() : place].strip())
            yield f"{found['path']}.p{len(arguments) - 1}"
        else:
            yield found["other"]


def _end_of_path(text: str, place: int) -> int:
    """Return where a path ends: at the comma or the bracket of the function around it."""
    depth = 0
    while place < len(text):
        if depth == 0 and text[place] in ",)":
            return place
        found = _IN_PATH.match(text, place)
        if found is None:
            place += 1
            continue
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(found[0], 0)
        place = found.end()
    return place


def _number(token: Any) -> int:
    return int(re.findall(r"\d+", token.getText())[-1])


def _text(source: str) -> FormatText:
    text = FormatText(_ESCAPE.sub(r"\1", source))
    text.source = source
    return text


def _eval_format(function: Any, env: Any) -> None:
    function.argument_list.eval(env=env)
    template, *values = env.stack.pop()
    shown = iter([StringFormat._to_str_repr(value) for value in values])  # noqa: SLF001 - its own class
    source = getattr(template, "source", template)
    # A place without a value is kept: their number is checked when the machine is created.
    env.stack.append(_PLACES.sub(lambda found: found[1] or next(shown, "{}"), source))
