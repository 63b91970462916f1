"""Reads what a person gives a run or the registry, and says exactly where it is broken."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from stepward.cli.exit_codes import InputError
from stepward.domain.documents import Document, Kind, Refused, read_document
from stepward.domain.json_text import NotJson, NotText, read_json, text_of, without_mark

_KINDS: Final[dict[str, Kind]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
STANDARD_INPUT: Final = "standard input"


def read_input(given: str) -> str | dict[str, Any]:
    """Read `--input`: text, a JSON object, `@file` or `-` for standard input."""
    if given == "-":
        return parse_input(read_standard_input(), STANDARD_INPUT)
    if given.startswith("@"):
        return parse_input(read_text(Path(given[1:])), given[1:])
    return parse_input(given, "--input")


def parse_input(text: str, where: str) -> str | dict[str, Any]:
    """Take what starts with a brace for a JSON object, which must then be one; the rest is text as it is."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return dict(read_json(text))
    except NotJson as error:
        fix = f"{error.fix[:1].upper()}{error.fix[1:]}." if error.fix else 'Quote names and texts with ".'
        raise InputError(f"{where} starts like a JSON object but is none: {error}.", fix) from error


def read_definition(path: Path) -> dict[str, Any]:
    """Read what the file of an agent, a trigger or a workflow says."""
    return dict(read_definition_file(path).tree)


def read_definition_file(path: Path) -> Document:
    """Read the file of an agent or a trigger, YAML or JSON by its ending, by the rules that hold for workflows."""
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
    """Read a file as it is written; what is wrong with it as YAML or JSON may stand in its `problems`.

    Raises:
        InputError: The file cannot be opened, is no text, or has another ending.
        Refused: It is no YAML or JSON, or no mapping.
    """
    kind = _KINDS.get(path.suffix)
    if kind is None:
        raise InputError(f"{path} is neither .yaml, .yml nor .json.", "Rename the file by what is in it.")
    return read_document(read_text(path), kind)


def read_text(path: Path) -> str:
    """Read a text file, with the reason in words when it cannot be read."""
    try:
        return text_of(path.read_bytes())
    except NotText as error:
        raise InputError(f"{path} is not a text file: {error}.", "Save it as UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path} cannot be read: {reason}.", "Check the path.") from error


def read_standard_input() -> str:
    """Read all of standard input as a text, its line ends as they are."""
    # A stream that has been put in its place may have no bytes.
    raw = getattr(sys.stdin, "buffer", None)
    try:
        return without_mark(sys.stdin.read()) if raw is None else text_of(raw.read())
    except (NotText, UnicodeDecodeError) as error:
        raise InputError(f"{STANDARD_INPUT} is no text: {error}.", "Send it as UTF-8.") from error
