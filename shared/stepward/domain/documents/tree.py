"""A parsed document: plain values, and the position of each in the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias

from stepward.domain.documents.problems import Problem, Refused

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value, as in `("tasks", 3, "needs", 0)`."""

DEEPEST_TEXT: Final = 40
"""How deep values may be nested: deeper than any document that people write or read."""


class Position(NamedTuple):
    """A place in a text; both count from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """The content of a text; `origins` maps a value's path to where it was written.

    It holds only values whose path has changed, as by a field's other name.
    """

    tree: Any
    positions: Mapping[Path, Position] = field(default_factory=dict)
    origins: Mapping[Path, Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def position(self, path: Path) -> Position | None:
        """Return where a value was written, or the nearest value around it."""
        written = self._written(path)
        for length in range(len(written), -1, -1):
            if written[:length] in self.positions:
                return self.positions[written[:length]]
        return None

    def _written(self, path: Path) -> Path:
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]] + path[length:]
        return path

    def problem(self, path: Path, problem: Problem) -> Problem:
        """Add a value's position to a problem."""
        position = self.position(path)
        return problem.model_copy(update=position._asdict()) if position else problem


@dataclass
class _Open:
    container: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


class TreeBuilder:
    """Builds a document from a parser's events without recursion; stops hostile ones early."""

    def __init__(self) -> None:
        self.positions: dict[Path, Position] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._root: Any = None

    def document(self) -> Document:
        """Return what was built."""
        return Document(self._root, self.positions, {}, tuple(self.problems))

    def open_map(self, at: Position) -> None:
        """Begin a mapping."""
        self._open({}, at)

    def open_list(self, at: Position) -> None:
        """Begin a list."""
        self._open([], at)

    def close(self) -> None:
        """End the innermost mapping or list."""
        self._stack.pop()

    @property
    def expects_key(self) -> bool:
        """Whether the next value names a field."""
        return (
            bool(self._stack) and isinstance(self._stack[-1].container, dict) and self._stack[-1].key is None
        )

    def key(self, name: Any, at: Position) -> None:
        """Set the name of the field that comes next."""
        inner = self._stack[-1]
        if not isinstance(name, str):
            self.tell("key-is-no-text", f"the key {name!r} is no text", f"write it in quotes: '{name}'", at)
            name = str(name)
        self._hold_to_unicode(name, at)
        if name in inner.container:
            first = self.positions[(*inner.path, name)].line
            detail = f"the key {name[:80]!r} appears in line {first} already"
            self.tell("duplicate-key", detail, "keep one of the two", at)
        inner.key = name
        self.positions[(*inner.path, name)] = at

    def value(self, value: Any, at: Position) -> None:
        """Add a plain value."""
        if isinstance(value, str):
            self._hold_to_unicode(value, at)
        self._put(value, at)

    def tell(self, code: str, detail: str, fix: str, at: Position) -> None:
        """Record a problem that does not keep the rest from being read."""
        self.problems.append(Problem(code=code, detail=detail, fix=fix, line=at.line, column=at.column))

    def refuse(self, code: str, detail: str, fix: str, at: Position) -> Refused:
        """Return the error that ends the reading."""
        self.tell(code, detail, fix, at)
        return Refused(self.problems)

    def _open(self, container: dict[str, Any] | list[Any], at: Position) -> None:
        if len(self._stack) >= DEEPEST_TEXT:
            detail = f"the document is nested deeper than {DEEPEST_TEXT} levels"
            raise self.refuse("nested-too-deep", detail, "take it apart", at)
        if self.expects_key:
            raise self.refuse("key-is-no-text", "a key is a list or a mapping", "keys are texts", at)
        self._stack.append(_Open(container, self._put(container, at)))

    def _put(self, value: Any, at: Position) -> Path:
        if not self._stack:
            self._root = value
            self.positions[()] = at
            return ()
        inner = self._stack[-1]
        if isinstance(inner.container, list):
            inner.container.append(value)
            path = (*inner.path, len(inner.container) - 1)
            self.positions[path] = at
            return path
        name, inner.key = str(inner.key), None
        inner.container[name] = value
        return (*inner.path, name)

    def _hold_to_unicode(self, text: str, at: Position) -> None:
        if text.isascii():
            return
        try:
            text.encode()
        except UnicodeEncodeError:
            fix = "write the character itself"
            raise self.refuse("half-a-character", "a text holds half of a surrogate pair", fix, at) from None


def with_problems(document: Document, problems: list[Problem]) -> Document:
    """Add problems that were found after the reading."""
    return replace(document, problems=(*document.problems, *problems))
