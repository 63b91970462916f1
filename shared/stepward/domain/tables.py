"""Parse CSV tables from spreadsheets and databases; a row that does not fit is reported.

A table has a heading and rows. The delimiter is a comma, or the semicolon, tab or bar that the heading has
instead, or what a first line `sep=;` says. Fields in double quotes may hold delimiters and line breaks. Blank
lines are no rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stepward.domain.json_text import NotText, text_of

DELIMITERS: Final = (",", ";", "\t", "|")
LONGEST_FIELD_CHARS: Final = 131_072
_SAID: Final = re.compile(r"sep=(.)\r?\n?")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')


class NotATable(ValueError):
    """A text that is no table at all; the message says at which line."""


@dataclass(frozen=True)
class Row:
    """One row, which begins at `line`; `fault` says why its cells do not match the heading."""

    line: int
    cells: tuple[str, ...]
    fault: str | None = None


@dataclass(frozen=True)
class Table:
    """The content of a file: its column names, and its rows in order."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def record(self, row: Row) -> dict[str, str]:
        """Return a row without fault as a mapping by column names."""
        return dict(zip(self.columns, row.cells, strict=True))


def read_table(raw: bytes) -> Table:
    """Parse a table.

    Args:
        raw: The file: UTF-8, or UTF-16 or UTF-32 with a byte-order mark.

    Raises:
        NotATable: It is no text, a quote is never closed, or the heading names a column twice or not at all.
    """
    try:
        text = text_of(raw)
    except NotText as error:
        raise NotATable(f"{error}; save it as UTF-8") from error
    text, skipped, delimiter = _delimited(text)
    records = _records(text, delimiter, skipped)
    line, heading = next(records, (1, []))
    columns = _columns(heading, line)
    return Table(columns, tuple(_row(at, cells, len(columns)) for at, cells in records))


def _delimited(text: str) -> tuple[str, int, str]:
    """Find the delimiter, and remove the line that declares it."""
    if said := _SAID.match(text):
        return text[said.end() :], 1, said[1]
    heading = next((line for line in text.splitlines() if line.strip()), "")
    bare = _QUOTED.sub("", heading)
    return text, 0, max(DELIMITERS, key=bare.count) if "," not in bare else ","


def _records(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = skipped + 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise NotATable(f"line {line}: {_why(error)}") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = skipped + reader.line_num + 1


def _why(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end" in said:
        return "a quote is opened and never closed"
    if "expected after" in said:
        return "something follows a closing quote; write a quote within quotes twice"
    return f"a field has more than {LONGEST_FIELD_CHARS} characters" if "field limit" in said else said


def _columns(heading: list[str], line: int) -> tuple[str, ...]:
    names = heading[: max((at for at, name in enumerate(heading, 1) if name.strip()), default=0)]
    for at, name in enumerate(names):
        if not name.strip():
            raise NotATable(f"line {line}: column {at + 1} has no name")
        if name in names[:at]:
            raise NotATable(f"line {line}: the heading names {name[:80]!r} twice")
    return tuple(names)


def _row(line: int, cells: list[str], width: int) -> Row:
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        cells = cells[:width]
    has = f"{len(cells)} field{'' if len(cells) == 1 else 's'}"
    quotes = "; put fields with delimiters in quotes" if len(cells) > width else ""
    fault = None if len(cells) == width else f"line {line} has {has}, the heading {width}{quotes}"
    return Row(line, tuple(cells), fault)
