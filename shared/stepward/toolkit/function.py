"""Makes a Python function a tool, whose schema comes from its signature and its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, Generic, ParamSpec, TypeVar, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from stepward.domain.errors import ToolArgumentInvalid
from stepward.domain.numbers import misread
from stepward.domain.tools import Effect, PublishedTool
from stepward.toolkit.call import Call

P = ParamSpec("P")
R = TypeVar("R")
_SECTION: Final = re.compile(r"^(Args|Arguments|Parameters):\s*$", re.MULTILINE)
_NAMED: Final = re.compile(r"^\s+(\w+)(?:\s*\([^)]*\))?:\s*(.+(?:\n\s{8,}\S.*)*)", re.MULTILINE)


class ToolFunction(Generic[P, R]):
    """A function that agents can call as a tool; called directly, it is as it was.

    Attributes:
        published: The tool's description, effect, time limit in seconds, and the JSON Schema of its arguments.
    """

    def __init__(self, function: Callable[P, R], effect: Effect, timeout_s: float) -> None:
        self._function = function
        hints = get_type_hints(function, include_extras=True)
        self._answer: TypeAdapter[Any] = TypeAdapter(hints.pop("return", Any))
        self._call_named = next((name for name, hint in hints.items() if hint is Call), None)
        self._arguments = _arguments_of(function, hints)
        self.published = PublishedTool(
            function=function.__name__,
            description=_purpose(function),
            parameters=_shown(self._arguments),
            effect=effect,
            timeout_s=timeout_s,
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function as it was written."""
        return self._function(*args, **kwargs)

    def serve(self, arguments: dict[str, Any], call: Call) -> Any:
        """Validate a call's arguments, call the function, and return JSON values.

        Args:
            arguments: What the model gave.
            call: The call.

        Returns:
            The answer as JSON values.

        Raises:
            ToolArgumentInvalid: The arguments do not fit the signature.

        Example:
            >>> @tool(effect="none")
            ... def double(number: int) -> int:
            ...     '''Double a number.'''
            ...     return 2 * number
            >>> double.serve({"number": 4}, Call(tenant="acme", run="run_1", id="run_1:call_1_1"))
            8
        """
        try:
            given = self._arguments.model_validate(arguments)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
            raise ToolArgumentInvalid("; ".join(faults)) from error
        if odd := [*islice(misread(arguments, given), 5)]:
            raise ToolArgumentInvalid("; ".join(odd))
        named: dict[str, Any] = {name: getattr(given, name) for name in self._arguments.model_fields}
        if self._call_named:
            named[self._call_named] = call
        answered: Any = self._function(**named)  # type: ignore[call-arg]  # held to the signature by the model
        return self._answer.dump_python(answered, mode="json")


@overload
def tool(function: Callable[P, R], /) -> ToolFunction[P, R]: ...
@overload
def tool(
    *, effect: Effect | str = ..., timeout_s: float = ...
) -> Callable[[Callable[P, R]], ToolFunction[P, R]]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    effect: Effect | str = Effect.ONCE,
    timeout_s: float = 10,
) -> Any:
    """Make a function a tool that agents can call.

    Models see the schema of its signature, the docstring, and what `Args:` says of each parameter.

    Args:
        function: The function; typed parameters and a docstring are required.
        effect: What a second execution of the same call would do: `none` (it only reads), `idempotent`
            (harmless under the same call id) or `once` (must never happen). Default: once.
        timeout_s: Seconds that one call may take, more than 0 and at most 240. Default: 10.

    Returns:
        The function, still callable as it was.

    Raises:
        TypeError: A parameter has no type, or the function no docstring.

    Example:
        >>> @tool(effect="none")
        ... def add(first: int, second: int) -> int:
        ...     '''Add two numbers.'''
        ...     return first + second
        >>> add(1, 2)
        3
        >>> add.published.description
        'Add two numbers.'
    """

    def made(one: Callable[..., Any]) -> ToolFunction[..., Any]:
        return ToolFunction(one, Effect(effect), timeout_s)

    return made if function is None else made(function)


def _arguments_of(function: Callable[..., Any], hints: dict[str, Any]) -> type[BaseModel]:
    descriptions = _argument_descriptions(function)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if hints.get(name) is Call:
            continue
        if name not in hints or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{function.__name__}: {name} needs a type, because models are shown a schema")
        default = ... if parameter.default is parameter.empty else parameter.default
        described: dict[str, Any] = (
            {"description": descriptions[name]}
            if name in descriptions and not _is_described(hints[name])
            else {}
        )
        fields[name] = (hints[name], FieldInfo(default=default, **described))
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def _is_described(hint: Any) -> bool:
    return any(isinstance(said, FieldInfo) and said.description for said in getattr(hint, "__metadata__", ()))


def _purpose(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function) or ""
    purpose = _SECTION.split(text)[0].strip()
    if not purpose:
        raise TypeError(f"{function.__name__} needs a docstring: models read what the tool is for")
    return purpose


def _argument_descriptions(function: Callable[..., Any]) -> dict[str, str]:
    """Read the docstring's section `Args:`; `Field(description=…)` takes precedence."""
    parts = _SECTION.split(inspect.getdoc(function) or "")
    lines = parts[2] if len(parts) > 2 else ""
    return {name: " ".join(text.split()) for name, text in _NAMED.findall(lines)}


def _shown(arguments: type[BaseModel]) -> dict[str, Any]:
    schema = arguments.model_json_schema()
    shown = {name: value for name, value in schema.items() if name not in {"title", "description"}}
    return {"properties": {}, **shown}
