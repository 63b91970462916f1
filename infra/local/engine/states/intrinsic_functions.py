"""Patches of intrinsic functions: parsing, results and failures."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from antlr4 import CommonTokenStream, InputStream
from antlr4.tree.Tree import TerminalNode
from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicLexer import ASLIntrinsicLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicParser import ASLIntrinsicParser
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringIntrinsicFunction
from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import (
    ArgumentContextPath,
    ArgumentJsonPath,
    ArgumentLiteral,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_contains import (
    ArrayContains,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_get_item import (
    ArrayGetItem,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_range import (
    ArrayRange,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array.array_unique import (
    ArrayUnique,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.encoding_decoding.base_64_decode import (
    Base64Decode,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.encoding_decoding.base_64_encode import (
    Base64Encode,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.generic.string_format import (
    StringFormat,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.json_manipulation.json_to_string import (
    JsonToString,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.math_operations.math_random import (
    MathRandom,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.states_function import (
    StatesFunction,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import IntrinsicParser
from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from infra.local.engine.states import failures, task_calls

ORIGINAL_EVAL = StringIntrinsicFunction._eval_body  # noqa: SLF001 - what is patched
_MOST_ITEMS = 1000
_FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError)


def install_intrinsic_functions() -> None:
    """Compute and fail as AWS's intrinsic functions do.

    moto's intrinsic functions fail as Python errors, and some of them on what AWS accepts.

    Where: moto/stepfunctions/parser/asl/component/intrinsic/function/statesfunction: `ArrayRange` counts upwards only,
    `ArrayUnique` and `ArrayContains` compare as Python does (1 is True, objects fail), `ArrayGetItem` accepts negative
    numbers, `MathRandom` may return the end, `JsonToString` and those of Base64 accept ASCII only. AWS names the failure
    States.IntrinsicFailure, and a path that finds nothing States.Runtime, with the call in the cause.
    """
    StringIntrinsicFunction._eval_body = _eval_body  # noqa: SLF001 - as above
    functions: Mapping[type[StatesFunction], Callable[..., object]] = {
        ArrayContains: _contains,
        ArrayGetItem: _item,
        ArrayRange: _range,
        ArrayUnique: _unique,
        Base64Decode: lambda text: base64.b64decode(_text(text), validate=True).decode(),
        Base64Encode: lambda text: base64.b64encode(_text(text).encode()).decode(),
        JsonToString: task_calls.compact,
        MathRandom: _random,
    }
    for kind, function in functions.items():
        kind._eval_body = _over_arguments(function)  # noqa: SLF001 - as above


def _eval_body(component: StringIntrinsicFunction, env: Environment) -> None:
    try:
        ORIGINAL_EVAL(component, env)
    except NoSuchJsonPathError as error:
        data = to_json_str(error.data, separators=(",", ":"))
        what = f"The JsonPath argument for the field '{error.json_path}' could not be found in the input '{data}'"
        _fail(env, StatesErrorNameType.StatesRuntime, component, what)
    except _FAULTS as error:
        _fail(env, StatesErrorNameType.StatesIntrinsicFailure, component, str(error))


def _fail(
    env: Environment, kind: StatesErrorNameType, component: StringIntrinsicFunction, what: str
) -> NoReturn:
    cause = f"The function '{_source(component)}' had the following error: {what}"
    if kind is not StatesErrorNameType.StatesRuntime:
        # moto itself adds the state to the cause of States.Runtime.
        cause = failures.with_state(env, cause)
    failures.fail_execution(env, kind, cause)


def _source(component: StringIntrinsicFunction) -> str:
    try:
        source: str = json.loads(f'"{component.intrinsic_function_derivation}"', strict=False)
    except ValueError:
        return str(component.intrinsic_function_derivation)
    return source


def _over_arguments(function: Callable[..., object]) -> Callable[[StatesFunction, Environment], None]:
    def eval_body(component: StatesFunction, env: Environment) -> None:
        component.argument_list.eval(env=env)
        env.stack.append(function(*env.stack.pop()))

    return eval_body


def _as_json(value: Any) -> str:
    # Numbers are equal by value, and nothing else is equal to a number.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, sort_keys=True)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"Expected an array, but got {json.dumps(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"Expected a string, but got {json.dumps(value)}")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"Expected a number, but got {json.dumps(value)}")
    return round(value)


def _contains(array: Any, sought: Any) -> bool:
    return _as_json(sought) in {_as_json(one) for one in _array(array)}


def _item(array: Any, index: Any) -> Any:
    if not 0 <= _whole(index) < len(_array(array)):
        raise IndexError(f"The index {_whole(index)} is outside an array of {len(array)} items")
    return array[_whole(index)]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    start, end, stride = _whole(first), _whole(last), _whole(step)
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > _MOST_ITEMS:
        raise ValueError(f"An array may not exceed {_MOST_ITEMS} items, but would have {len(numbers)}")
    return list(numbers)


def _unique(array: Any) -> list[Any]:
    return list({_as_json(one): one for one in reversed(_array(array))}.values())[::-1]


def _random(start: Any, end: Any, *seed: Any) -> int:
    return random.Random(*(_whole(one) for one in seed)).randrange(_whole(start), _whole(end))  # noqa: S311 - not for secrets


ORIGINAL_PARSE = IntrinsicParser.parse
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
    r"""Read literals and paths before the grammar, and format as AWS does.

    moto parses an intrinsic function as it is written in the definition's JSON, and silently drops what it cannot read.

    Where: `IntrinsicParser.parse` in moto/stepfunctions/parser/asl/parse/intrinsic/intrinsic_parser.py, whose lexer accepts
    one bracket after a step of a path and neither null, an escaped quote (`\'`) nor JSON's own escapes, and whose visitor
    fails on fractions; `States.Format` (…/component/intrinsic/function/statesfunction/generic/string_format.py) leaves the
    template to Python. Here literals and paths are read first, and the grammar sees a token for each.
    """
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
            arguments.append(_literal(found["text"][1:-1]))
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


def _number(token: TerminalNode) -> int:
    return int(re.findall(r"\d+", token.getText())[-1])


def _literal(source: str) -> FormatText:
    text = FormatText(_ESCAPE.sub(r"\1", source))
    text.source = source
    return text


def _eval_format(function: StringFormat, env: Environment) -> None:
    function.argument_list.eval(env=env)
    template, *values = env.stack.pop()
    shown = iter([StringFormat._to_str_repr(value) for value in values])  # noqa: SLF001 - its own class
    source = getattr(template, "source", template)
    # A place without a value is kept: their number is checked when the machine is created.
    env.stack.append(_PLACES.sub(lambda found: found[1] or next(shown, "{}"), source))
