"""The values of a `Flow`: JSONata expressions, and references to values of the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stepward.sdk.errors import BadCall

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Texts and comments come first, so that nothing in them is taken for a reference.
_MENTION: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | /\*.*?\*/
        | \$(?:tasks|status|errors) \s*\.\s* (?: (?P<name>[A-Za-z]\w*) | `(?P<quoted>\w+)` )""",
    re.VERBOSE | re.DOTALL,
)


class Reference:
    """A value that a run will have: write it into `jsonata(f"…")`, or give it as it is.

    Fields follow by name or index: `order.output.lines[0].price`, `order.output["odd name"]`.

    Args:
        text: Returns the JSONata text of the value.
        steps: The fields that follow it. Default: none.

    Example:
        >>> str(Flow.input.lines[0].price)
        '$input.lines[0].price'
    """

    __slots__ = ("_steps", "_text")

    def __init__(self, text: Callable[[], str], steps: str = "") -> None:
        self._text = text
        self._steps = steps

    def __getattr__(self, name: str) -> Reference:
        """Refer to a field."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, field: str | int) -> Reference:
        """Refer to a field by any name, or to an entry of a list."""
        if isinstance(field, int):
            return Reference(self._text, f"{self._steps}[{field}]")
        if "`" in field:
            raise BadCall(f"The field {field!r} has a backtick, which JSONata cannot name.", "Rename it.")
        step = field if _NAME.fullmatch(field) else f"`{field}`"
        return Reference(self._text, f"{self._steps}.{step}")

    def __iter__(self) -> Iterator[Any]:
        """Refuse: the entries of a list are known only in the run."""
        raise BadCall(f"{self} has no entries yet.", "Use `flow.foreach` to run tasks for each of them.")

    def __bool__(self) -> bool:
        """Refuse: this program would decide long before the run has the value."""
        raise BadCall(f"{self} is neither true nor false yet.", "Decide in the run: use `when=jsonata(…)`.")

    def __eq__(self, other: object) -> bool:
        """Refuse: Python would call a value that does not exist yet unequal."""
        fix = "Compare in the run, as in jsonata(f'{order.output.sum} = 100')."
        raise BadCall(f"{self} cannot be compared yet.", fix)

    __hash__ = object.__hash__

    def __str__(self) -> str:
        """Return the JSONata text."""
        return self._text() + self._steps

    def __repr__(self) -> str:
        """Return the JSONata text in brackets."""
        return f"<{self}>"


def variable(name: str) -> Reference:
    """Refer to one of the variables that a run has, such as `$input`."""
    return Reference(lambda: f"${name}")


def jsonata(source: str | Reference) -> str:
    """Mark a text as JSONata, so that the run evaluates it.

    Args:
        source: An expression, or a reference to a value of the run.

    Returns:
        The text between `{%` and `%}`.

    Raises:
        BadCall: It is empty, or no text: Python has already evaluated it.

    Example:
        >>> jsonata("$input.price * 1.19")
        '{% $input.price * 1.19 %}'
    """
    if not isinstance(source, str | Reference):
        fix = "Compare and calculate within the text, as in jsonata(f'{order.output.sum} > 100')."
        raise BadCall(f"{source!r} is not JSONata: Python has already evaluated it.", fix)
    text = str(source).strip()
    if not text:
        raise BadCall("An expression is empty.", "Write JSONata, as in jsonata('$input.price * 2').")
    return text if text.startswith("{%") and text.endswith("%}") else f"{{% {text} %}}"


def plain(value: Any) -> Any:
    """Convert a value to what a document holds: references become expressions, tuples lists."""
    match value:
        case Reference():
            return jsonata(value)
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case None | str() | bool() | int() | float():
            return value
        case _:
            shown = f"{type(value).__name__} {getattr(value, 'id', '')}".strip()
            raise BadCall(
                f"A {shown} is not a value of a document.",
                "Give JSON values; what a task brings is its `.output`.",
            )


def references_in(value: Any) -> Iterator[str]:
    """Yield the id of each task that expressions within a value name, repeats included."""
    match value:
        case str() if value.strip().startswith("{%"):
            yield from (
                name for found in _MENTION.finditer(value) if (name := found["name"] or found["quoted"])
            )
        case dict():
            for inner in value.values():
                yield from references_in(inner)
        case list():
            for inner in value:
                yield from references_in(inner)
