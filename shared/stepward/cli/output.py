"""Write to the terminal: tables and colours for people, JSON alone with `--json`.

No other module of the command line prints.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stepward.cli.commands_for_routes import in_commands
from stepward.sdk import ApiError, StepwardError

Found = TypeVar("Found")

# Escape sequences in an agent's answer could rewrite what a person sees above it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WIDTH_WHEN_PIPED = 240
_LEAST_COLUMNS = 20
"""What a text needs beside its name; a narrower window breaks it as it likes."""
_AGE_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))
STATUS_STYLES = {
    "COMPLETED": "green",
    "READY": "green",
    "PARTIALLY_COMPLETED": "yellow",
    "RUNNING": "cyan",
    "WAITING": "yellow",
    "PENDING": "yellow",
    "PUBLISHING": "yellow",
    "SKIPPED": "dim",
    "RATE_LIMITED": "yellow",
    "CANCELLED": "magenta",
    "FAILED": "red",
    "REFUSED": "red",
    "BUDGET_EXCEEDED": "red",
}


def out() -> Console:
    """Open standard output; done for each use, so that tests and pipes see the current stream."""
    return Console(file=sys.stdout, width=_width(sys.stdout), highlight=False)


def err() -> Console:
    """Open standard error, for everything but the command's result."""
    return Console(file=sys.stderr, width=_width(sys.stderr), highlight=False)


def _is_narrow(stream: TextIO) -> bool:
    """Return True for a terminal, or a stream whose width COLUMNS sets."""
    return _width(stream) != WIDTH_WHEN_PIPED


def _width(stream: TextIO) -> int | None:
    """Return the width of tables: None for a terminal, else by COLUMNS or that of a pipe."""
    if stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isascii() and columns.isdigit() and int(columns) > 0 else WIDTH_WHEN_PIPED


def plain(value: object) -> str:
    """Replace control characters in a text from outside, which could move the cursor."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value).replace("\r\n", "\n"))


def clip(value: object, limit_chars: int = 100) -> str:
    """Shorten a value to one line."""
    line = " ".join(plain(value).split())
    return line if len(line) <= limit_chars else line[: limit_chars - 1] + "…"


def as_line(value: object) -> str:
    """Format a JSON value compactly, for one line of a feed."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_json(document: object, *, one_line: bool = False) -> None:
    """Write one JSON document to standard output; `one_line` for feeds."""
    write_text(json_text(document, one_line=one_line))


def answer(found: Found, show: Callable[[Found], None], *, as_json: bool) -> None:
    """Write a result as JSON, or show it to a person."""
    if as_json:
        write_json(found)
    else:
        show(found)


def json_text(document: object, *, one_line: bool = False) -> str:
    """Format a JSON document as `--json` does everywhere."""
    return json.dumps(document, ensure_ascii=False, indent=None if one_line else 2)


def write_text(text: str) -> None:
    """Write a text for a program or a viewer, unchanged."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def say(text: str, style: str = "") -> None:
    """Write one line for a person; the text is never parsed as markup."""
    out().print(Text(plain(text), style=style), soft_wrap=True)


def print_error(text: str) -> None:
    """Write a problem to standard error; the text is never parsed as markup."""
    _write_under(sys.stderr, Text(), Text(plain(text), style="red"), "  ")


def print_wrapped_text(line: Text) -> None:
    """Write a styled line, wrapped between words on a terminal."""
    _write_under(sys.stdout, Text(), line, "  ")


def print_wrapped(text: str, style: str = "") -> None:
    """Write sentences for a person, wrapped between words on a terminal."""
    _write_under(sys.stdout, Text(), Text(plain(text), style=style), "  ")


def _write_under(stream: TextIO, head: Text, body: Text, indent: str | None = None) -> None:
    """Write a text beside its head; further lines align below it, or use an indent.

    A pipe gets one line, so that a sentence can be found with grep.
    """
    console = Console(file=stream, width=_width(stream), highlight=False)
    rest = Text(" " * head.cell_len if indent is None else indent)
    width = console.width - max(head.cell_len, rest.cell_len)
    if not _is_narrow(stream) or width < _LEAST_COLUMNS:
        console.print(joined(head, body), soft_wrap=True)
        return
    for number, line in enumerate(body.wrap(console, width)):
        line.rstrip()
        console.print(joined(rest if number else head, line), soft_wrap=True)


def joined(*parts: str | Text) -> Text:
    """Concatenate texts that keep their own styles: `+` would spread the first one's."""
    return Text.assemble(*parts)


def status_text(status: str) -> Text:
    """Colour a run's status in the same way everywhere."""
    return Text(plain(status), style=STATUS_STYLES.get(status, ""))


def plural(count: int, noun: str, several: str | None = None) -> str:
    """Format a count with its noun: 1 turn, 2 turns, 1,000 entries.

    Args:
        count: How many.
        noun: The noun in the singular.
        several: Its plural. Default: the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def usd(micros: int) -> str:
    """Format micro-dollars as dollars with six digits: a run may cost parts of a cent."""
    return f"${micros / 1_000_000:.6f}"


def age(created_at: str, now: datetime | None = None) -> str:
    """Format how long ago an instant was, in its largest unit: 42s, 7m, 3h, 12d.

    Args:
        created_at: An instant as the API writes it.
        now: The time to count from. Default: this moment.
    """
    passed_s = int(((now or datetime.now(UTC)) - datetime.fromisoformat(created_at)).total_seconds())
    for unit, seconds in _AGE_UNITS:
        if passed_s >= seconds:
            return f"{passed_s // seconds}{unit}"
    return f"{max(0, passed_s)}s"


def table(*columns: str, right: tuple[str, ...] = (), whole: bool = True) -> Table:
    """Create a table that reads well in a terminal and works with grep in a pipe.

    Args:
        columns: Their titles.
        right: The titles of columns with figures, which are never broken: half an amount reads as another one.
        whole: Whether the first column holds what a person copies, so that it is never broken either.
    """
    made = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        is_figure = place > 0 and name in right
        justify: Literal["left", "right"] = "right" if is_figure else "left"
        made.add_column(name, justify=justify, overflow="fold", no_wrap=is_figure or (whole and place == 0))
    return made


def show(renderable: Table | Text) -> None:
    """Write a table or text of Rich to standard output."""
    out().print(renderable)


def fits(made: Table) -> bool:
    """Return True if a table can be shown without breaking a cell."""
    console = out()
    return (
        console.measure(made, options=console.options.update(max_width=WIDTH_WHEN_PIPED)).maximum
        <= console.width
    )


def show_with_notes(made: Table, notes: Iterable[Text]) -> None:
    """Write a table without breaking a cell, with a line of its own below each row."""
    console = out()
    head, *rows = console.render_lines(made, pad=False)
    for line, note in zip((head, *rows), (None, *notes), strict=True):
        console.print(*(Text(part.text, part.style or "") for part in line), sep="", soft_wrap=True)
        if note is not None:
            console.print(note, soft_wrap=True)


def write_lines(lines: Iterable[Text]) -> None:
    """Write styled lines unbroken: a terminal wraps them itself."""
    console = out()
    for line in lines:
        console.print(line, soft_wrap=True)


def as_cell(value: object) -> Text:
    """Return a table's cell that is never parsed as markup."""
    return value if isinstance(value, Text) else Text(plain(value))


def more(next_cursor: str | None) -> None:
    """Print how to get the next page, if there is one."""
    if next_cursor:
        say(f"More: add --cursor {next_cursor}", style="dim")


def fields(pairs: Mapping[str, object]) -> None:
    """Write names and values below each other, without those that have no value."""
    width = max(len(name) for name in pairs)
    for name, value in pairs.items():
        if value is not None and value != "":
            line = Text(f"{name:<{width}}  ", style="dim")
            _write_under(sys.stdout, line, as_cell(value))


def report(error: StepwardError, *, as_json: bool) -> None:
    """Report an error: a problem document with --json, else lines on standard error."""
    if as_json:
        write_json(error.problem)
        return
    code = Text(f"{error.code}: ", style="bold red")
    _write_under(sys.stderr, Text(), joined(code, in_commands(plain(error.detail))), "  ")
    for label, text in _particulars(error):
        _write_under(sys.stderr, Text(f"  {label}: ", style="dim"), Text(in_commands(plain(text))), "    ")


def _particulars(error: StepwardError) -> list[tuple[str, str]]:
    lines: list[tuple[str, str | None]] = []
    if isinstance(error, ApiError):
        # A single fault is what the detail says already.
        several = error.errors if len(error.errors) > 1 else ()
        lines = [
            ("field", error.field),
            *((e.field, f"{e.detail}{f' → {e.fix}' if e.fix else ''}") for e in several),
        ]
    return [(label, text) for label, text in [*lines, ("fix", error.fix)] if text]


def problem(code: str, detail: str, fix: str | None = None) -> dict[str, Any]:
    """Return a problem document for an error that is not one of ours."""
    return {
        "type": f"about:stepward/{code}",
        "title": code,
        "code": code,
        "detail": detail,
        **({"fix": fix} if fix else {}),
    }
