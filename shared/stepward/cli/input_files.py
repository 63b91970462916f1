"""Read commands' inputs: texts, JSON, definitions and documents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepward.cli import options, output
from stepward.cli.commands_for_routes import in_commands
from stepward.cli.exit_codes import REFUSED, InputError
from stepward.domain.aliases import origins_of
from stepward.domain.documents import Document, Kind, Refused, read_document
from stepward.domain.documents import Path as FieldPath
from stepward.domain.json_text import NotJson, NotText, read_json, text_of, without_mark
from stepward.sdk import ApiError, DocumentRefused, WorkflowProblem

_KINDS: Final[dict[str, Kind]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
STANDARD_INPUT: Final = "<stdin>"
"""How a compiler names it."""
_IN_WORDS: Final = "standard input"


def read_input(given: str) -> str | dict[str, Any]:
    """Read `--input`: text, a JSON object, `@file` or `-` for standard input."""
    if given == "-":
        return parse_input(read_standard_input(), _IN_WORDS)
    if given.startswith("@"):
        return parse_input(read_text(Path(given[1:])), given[1:])
    return parse_input(given, "--input")


def parse_input(text: str, where: str) -> str | dict[str, Any]:
    """Read a text; one that starts with a brace must be a JSON object."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return dict(read_json(text))
    except NotJson as error:
        fix = f"{error.fix[:1].upper()}{error.fix[1:]}." if error.fix else 'Quote names and texts with ".'
        raise InputError(f"{where} starts like a JSON object but is not one: {error}.", fix) from error


def read_definition(path: Path) -> dict[str, Any]:
    """Read the fields of the definition of an agent, a trigger or a workflow."""
    return dict(read_definition_file(path).tree)


def read_definition_file(path: Path) -> Document:
    """Read the file of an agent or a trigger, YAML or JSON by its ending.

    The rules for the text are those of workflows' documents.
    """
    try:
        document = read_written(path)
        if document.problems:
            raise Refused(document.problems)
    except Refused as error:
        first = error.problems[0]
        place = f":{first.line}:{first.column}" if first.line is not None else ""
        more = f" ({len(error.problems) - 1} more problems)" if len(error.problems) > 1 else ""
        raise InputError(
            f"{path}{place}: {first.detail}.{more}", f"{first.fix[:1].upper()}{first.fix[1:]}."
        ) from error
    return document


def read_written(path: Path) -> Document:
    """Read a file as it is written; problems of its YAML or JSON may be in `problems`.

    Raises:
        InputError: The file cannot be opened, is no text, or has another ending.
        Refused: It is no YAML or JSON, or no mapping.
    """
    kind = _KINDS.get(path.suffix)
    if kind is None:
        raise InputError(f"{path} is neither .yaml, .yml nor .json.", "Give it the ending of its content.")
    return read_document(read_text(path), kind)


def read_text(path: Path) -> str:
    """Read a text file, or raise an error with the reason in words."""
    try:
        return text_of(path.read_bytes())
    except NotText as error:
        raise InputError(f"{path} is not a text file: {error}.", "Save it as UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path} cannot be read: {reason}.", "Check the path.") from error


def read_standard_input() -> str:
    """Read all of standard input as text, line ends unchanged."""
    # A stream that has been put in its place may have no bytes.
    raw = getattr(sys.stdin, "buffer", None)
    try:
        return without_mark(sys.stdin.read()) if raw is None else text_of(raw.read())
    except (NotText, UnicodeDecodeError) as error:
        raise InputError(f"{_IN_WORDS} is not text: {error}.", "Send it as UTF-8.") from error


_BAD_REQUEST = 400


@dataclass(frozen=True)
class DefinitionFile:
    """One file of a definition, as it was read."""

    path: Path
    document: Document

    @classmethod
    def read(cls, path: Path) -> DefinitionFile:
        """Read a file.

        Raises:
            InputError: It cannot be read, or not as YAML or JSON.
        """
        return cls(path, with_origins(read_definition_file(path)))

    @property
    def body(self) -> dict[str, Any]:
        """The fields to send."""
        return dict(self.document.tree)

    def problems_in(self, error: ApiError) -> list[dict[str, Any]]:
        """Return all problems of a refusal, each with its line and column in the file."""
        listed = error.problem.get("errors")
        alone = {"code": error.code, "field": error.field, "detail": error.detail, "fix": error.fix}
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return self.with_positions(entries or [alone])

    def with_positions(self, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add file, line and column to problems, and sort them as in the file."""
        found = [self._with_position(one) for one in entries]
        return sorted(found, key=lambda one: (one.get("line", 0), one.get("column", 0)))

    def _with_position(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        position = self.document.position(_path_of(str(entry.get("field") or "")))
        place = position._asdict() if position else {}
        return {"file": str(self.path), **{name: one for name, one in entry.items() if one}, **place}


def with_origins(document: Document) -> Document:
    """Map the names under which an agent's values are kept to those that its file uses."""
    return replace(document, origins=origins_of(document.tree))


def _path_of(name: str) -> FieldPath:
    parts = [] if name in ("", "body") else name.split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts)


def as_diagnostic(entry: dict[str, Any]) -> str:
    """Format one problem as a compiler would, with its field."""
    place = ":".join(str(entry[part]) for part in ("file", "line", "column") if part in entry)
    fix = f" ({entry['fix']})" if entry.get("fix") else ""
    field, detail = str(entry.get("field") or ""), str(entry["detail"])
    detail = detail.removeprefix(f"{field.rpartition('.')[2]}: ")  # the field says it already
    return ": ".join(part for part in (place, field, in_commands(detail)) if part) + in_commands(fix)


@contextmanager
def refusals_of(file: DefinitionFile, *, as_json: bool) -> Iterator[None]:
    """Show people every problem of a refused definition at its place.

    With --json they are in `errors`.
    """
    try:
        yield
    except ApiError as error:
        if error.status != _BAD_REQUEST or error.code != "InvalidRequest":
            raise
        found = file.problems_in(error)
        if as_json:
            raise ApiError(error.status, {**error.problem, "errors": found}) from error
        for one in found:
            output.print_error(as_diagnostic(one))
        raise typer.Exit(REFUSED) from error


FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="The workflow's file, YAML or JSON; - is standard input.")
]
FileOrIdArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|ID",
        help="A file, or the id of a workflow that is registered.",
        autocompletion=options.complete_workflows,
    ),
]
VersionOption = Annotated[str | None, typer.Option(help="A version. Default: the newest.")]


@dataclass(frozen=True)
class Source:
    """A document to send: its name for people, and its content for the client."""

    name: str
    document: str | Path


def is_file(given: str) -> bool:
    """Return True for a file: a workflow's id has neither dots nor slashes."""
    return given == "-" or "." in given or "/" in given or Path(given).is_file()


def source_of(given: str) -> Source:
    """Return the document of an argument, or raise an error with the reason."""
    if given == "-":
        return Source(STANDARD_INPUT, read_standard_input())
    path = Path(given)
    # The API would say the same of bytes that are no UTF-8, but not in which file.
    read_text(path)
    return Source(given, path)


def shown(source: Source, problem: WorkflowProblem) -> dict[str, Any]:
    """Return a problem for programs, with its file."""
    return {
        "file": source.name,
        **{name: value for name, value in asdict(problem).items() if value is not None},
    }


@contextmanager
def document_refusals_of(source: Source, *, as_json: bool) -> Iterator[None]:
    """Show people every problem of a refused document at its place in their file."""
    try:
        yield
    except DocumentRefused as error:
        if as_json:
            raise
        for problem in error.problems:
            output.print_error(in_commands(problem.as_diagnostic(source.name)))
        raise typer.Exit(REFUSED) from error
