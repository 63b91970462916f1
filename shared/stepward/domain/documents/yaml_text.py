"""Read YAML event by event, refusing bombs, depth and tags early, and write it."""

from __future__ import annotations

from typing import Any

from stepward.domain.documents.scalars import plain
from stepward.domain.documents.tree import Document, Position, TreeBuilder
from stepward.domain.numbers import NotANumber


def read_yaml(text: str) -> Document:
    """Read one document.

    Raises:
        Refused: It is no YAML of the supported kind.
    """
    import yaml  # noqa: PLC0415  only those who read documents pay for it

    # The parser in C reads a megabyte in a tenth of a second, the one in Python in two; both give the same events.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=loader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        raise reader.builder.refuse("not-yaml", _why(error), _fix(text, at), at) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        at = Position(line, error.position - text.rfind("\n", 0, error.position))
        raise reader.builder.refuse("not-yaml", f"{error.reason}", "remove the character", at) from error
    return reader.builder.document()


def _why(error: Any) -> str:
    parts = (error.context, error.problem)
    return "it cannot be read as YAML: " + ", ".join(str(part) for part in parts if part)


def _fix(text: str, at: Position) -> str:
    """Name the common mistake: `{%` begins a mapping unless it is quoted."""
    lines = text.splitlines()
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    if line[at.column - 1 : at.column] == "\t":
        return "use spaces: YAML is not indented by tabs"
    return 'put the expression in quotes: "{% … %}"' if "{%" in line else "fix the YAML"


class _Reader:
    """Takes one event after the other."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self._documents = 0

    def take(self, event: Any) -> None:
        at = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        name = type(event).__name__
        if name == "DocumentStartEvent":
            self._begin(at)
        elif name == "AliasEvent":
            raise self._no_anchors(f"*{event.anchor}", at)
        elif name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent"):
            self._node(event, name, at)
        elif name in ("SequenceEndEvent", "MappingEndEvent"):
            self.builder.close()

    def _begin(self, at: Position) -> None:
        self._documents += 1
        if self._documents > 1:
            fix = "one file holds one document: put the others into files of their own"
            raise self.builder.refuse("several-documents", "a second document begins here", fix, at)

    def _no_anchors(self, name: str, at: Position) -> Exception:
        fix = "write the value out wherever it is meant"
        return self.builder.refuse("anchor", f"{name[:80]}: anchors and aliases are not read", fix, at)

    def _node(self, event: Any, name: str, at: Position) -> None:
        if event.anchor is not None:
            raise self._no_anchors(f"&{event.anchor}", at)
        if event.tag is not None:
            fix = "leave the tag out; quotes make a text of anything"
            raise self.builder.refuse("tag", f"the tag {event.tag[:80]} is not read", fix, at)
        if name == "SequenceStartEvent":
            self.builder.open_list(at)
        elif name == "MappingStartEvent":
            self.builder.open_map(at)
        else:
            self._scalar(event, at)

    def _scalar(self, event: Any, at: Position) -> None:
        value = event.value if event.style else self._plain(event.value, at)
        if self.builder.expects_key:
            self.builder.key(value, at)
        else:
            self.builder.value(value, at)

    def _plain(self, text: str, at: Position) -> Any:
        try:
            return plain(text)
        except NotANumber as error:
            self.builder.tell("not-a-number", str(error), "write another number, or a text in quotes", at)
            return None


WIDTH_CHARS = 100


def write_yaml(value: Any) -> str:
    """Write a value as YAML.

    The library quotes what YAML 1.1 would take for something else than a text; `1e3` and `0o17` are texts there and
    numbers here, so they are quoted too. Anchors, which the reader refuses, are never written.

    Args:
        value: What JSON can hold.

    Returns:
        The document, without a line break at its end.
    """
    import yaml  # noqa: PLC0415  only those who write documents pay for it

    class Dumper(yaml.SafeDumper):
        """Quotes by the reader's rules."""

        def ignore_aliases(self, data: Any) -> bool:
            """Write every value in full, wherever it occurs."""
            del data
            return True

    def text(dumper: Any, data: str) -> Any:
        style = None if _stays_a_text(data) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH_CHARS)
    return written.rstrip()


def _stays_a_text(text: str) -> bool:
    try:
        return isinstance(plain(text), str)
    except NotANumber:
        return False
