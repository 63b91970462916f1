r"""moto reads an intrinsic function as it stands in the definition's JSON, and drops in silence what it cannot read.

Where: `IntrinsicParser.parse` in moto/stepfunctions/parser/asl/parse/intrinsic/intrinsic_parser.py, whose lexer knows one bracket
after a step of a path and neither null, a quote that is escaped (`\'`) nor JSON's own escapes, and whose reader fails on fractions; `States.Format` (…/component/intrinsic/
function/statesfunction/generic/string_format.py) leaves the template to Python. Here texts and paths are read first, and the
grammar sees a word in the place of each.
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
ORIGINAL_FORMAT = StringFormat._eval_body  # noqa: SLF001 - what is mended
_TOKEN = re.compile(
    r"(?P<text>'(?:[^'\\]|\\.)*')|(?P<path>\$\$?(?=[.\[\s,)]))|(?P<value>(?<=[(,\s])(?:null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"(?=[\s,)]))|(?P<other>.)",
    re.DOTALL,
)
_IN_PATH = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[(\[]|[)\]]|[^'\"()\[\],]+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLACES = re.compile(r"\\(.)|\{\}", re.DOTALL)


class FormatText(str):
    """A text of a definition with its escapes, which tell braces of `States.Format` from braces that are meant."""

    __slots__ = ("said",)
    said: str


def install_intrinsic_texts() -> None:
    """Read first, then let the grammar see words."""
    IntrinsicParser.parse = staticmethod(_parse)
    StringFormat._eval_body = _eval_format  # noqa: SLF001 - as above


def _parse(src: str) -> Any:
    said: list[Any] = []
    words = "".join(_words(_decoded(src), said))
    seen: Any = type("Seen", (Preprocessor,), {})
    seen.visitFunc_arg_string = lambda _, ctx: ArgumentLiteral(said[_number(ctx.STRING())])
    seen.visitFunc_arg_json_path = lambda _, ctx: ArgumentJsonPath(said[_number(ctx.JSON_PATH_STRING())])
    seen.visitFunc_arg_context_path = lambda _, ctx: ArgumentContextPath(
        said[_number(ctx.CONTEXT_PATH_STRING())]
    )
    tree = ASLIntrinsicParser(CommonTokenStream(ASLIntrinsicLexer(InputStream(words)))).func_decl()
    return seen().visit(tree), tree


def _decoded(src: str) -> str:
    try:
        text: str = json.loads(f'"{src}"', strict=False)
    except ValueError:
        return src
    return text


def _words(text: str, said: list[Any]) -> Iterator[str]:
    """Give the text with a word for each text, number, null and path in it, and keep those."""
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        assert found is not None
        place = found.end()
        if found["text"]:
            said.append(_text(found["text"][1:-1]))
            yield f"'t{len(said) - 1}'"
        elif found["value"]:
            said.append(json.loads(found["value"]))
            yield f"'t{len(said) - 1}'"
        elif found["path"]:
            place = _end_of_path(text, place)
            said.append(text[found.start() : place].strip())
            yield f"{found['path']}.p{len(said) - 1}"
        else:
            yield found["other"]


def _end_of_path(text: str, place: int) -> int:
    """Find where a path ends: at the comma or the bracket of the function that it is an argument of."""
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


def _text(said: str) -> FormatText:
    text = FormatText(_ESCAPE.sub(r"\1", said))
    text.said = said
    return text


def _eval_format(function: Any, env: Any) -> None:
    function.argument_list.eval(env=env)
    template, *values = env.stack.pop()
    shown = iter([StringFormat._to_str_repr(value) for value in values])  # noqa: SLF001 - its own class
    said = getattr(template, "said", template)
    # A place without a value stays as it is: how many there are is checked when the machine is made.
    env.stack.append(_PLACES.sub(lambda found: found[1] or next(shown, "{}"), said))
