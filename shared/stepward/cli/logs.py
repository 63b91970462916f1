"""Implement `stepward logs`: merge the logs of the laptop's functions by time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from stepward.cli import output
from stepward.cli.checkout import log_folder
from stepward.cli.connection import JsonOption
from stepward.cli.exit_codes import EPILOG, InputError, SetupError
from stepward.cli.options import at_least

HELP = """Show what the laptop's functions logged, oldest first.

FUNCTION is a name (agent_advance, runs_api, …); without it, all of them, merged by time. Also works
after the laptop has stopped.

Examples:

  stepward logs

  stepward logs agent_advance -n 200

  stepward logs -f --json
"""
POLL_S = 0.4
TAIL_BYTES = 1_000_000
LEVEL_STYLES = {"FATAL": "bold red", "ERROR": "red", "WARN": "yellow", "DEBUG": "dim", "TRACE": "dim"}
KNOWN_FIELDS = frozenset({"timestamp", "level", "message", "service", "location"})


@dataclass(frozen=True)
class LogLine:
    """One line of a function's log; `record` is its JSON, or None for plain text."""

    function: str
    text: str
    record: dict[str, Any] | None
    at: str


def logs(
    function: Annotated[
        str | None, typer.Argument(help="A function's name. Default: all.", show_default=False)
    ] = None,
    lines: Annotated[
        int,
        typer.Option("-n", "--lines", parser=at_least(1), metavar="N", help="Number of lines from the end."),
    ] = 50,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Show new lines as they come, until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the laptop's functions logged."""
    folder = _need_folder()
    files = _files(folder, function)
    sizes = {path: path.stat().st_size for path in files}
    for line in newest(files, lines):
        show_line(line, as_json=as_json)
    if follow:
        for line in new_lines(folder, function, sizes):
            show_line(line, as_json=as_json)


def newest(files: list[Path], count: int) -> list[LogLine]:
    """Return the last lines of several logs, by time."""
    read = [line for path in files for line in parse(path.stem, tail_text(path))[-count:]]
    return sorted(read, key=lambda line: line.at)[-count:]


def new_lines(folder: Path, function: str | None, sizes: dict[Path, int]) -> Iterator[LogLine]:
    """Yield lines as they are added, also of functions that start to log later.

    It never ends by itself.
    """
    while True:
        time.sleep(POLL_S)
        for path in sorted(folder.glob(f"{function or '*'}.log")):
            text, sizes[path] = added(path, sizes.get(path, 0))
            yield from parse(path.stem, text)


def added(path: Path, offset_bytes: int) -> tuple[str, int]:
    """Read whole lines after an offset; a log that became shorter is read from its start."""
    start = offset_bytes if path.stat().st_size >= offset_bytes else 0
    with path.open("rb") as stream:
        stream.seek(start)
        chunk = stream.read()
    whole = chunk[: chunk.rfind(b"\n") + 1]
    return whole.decode("utf-8", "replace"), start + len(whole)


def tail_text(path: Path) -> str:
    """Read the end of a log, at most 1,000,000 bytes."""
    with path.open("rb") as stream:
        start = max(0, path.stat().st_size - TAIL_BYTES)
        stream.seek(start)
        text = stream.read().decode("utf-8", "replace")
    return text.partition("\n")[2] if start else text


def parse(function: str, text: str) -> list[LogLine]:
    """Split a log into lines; a line without a time of its own takes that of the one above."""
    lines = [line for line in text.splitlines() if line.strip()]
    records = [_record(line) for line in lines]
    times = [_instant(line, record) for line, record in zip(lines, records, strict=True)]
    # A line above the first time (Lambda's START line) takes the time of the line below it.
    at = next(filter(None, times), "")
    found: list[LogLine] = []
    for line, record, own in zip(lines, records, times, strict=True):
        at = own or at
        found.append(LogLine(function, line, record, at))
    return found


def show_line(line: LogLine, *, as_json: bool) -> None:
    """Print one log line: whole for programs, its main parts for people."""
    if as_json:
        content = {"text": line.text} if line.record is None else {"record": line.record}
        output.write_json({"room": line.function, **content}, one_line=True)
        return
    output.write_lines([output.joined(Text(f"{line.function:<14} ", style="cyan"), _readable(line))])


def _readable(line: LogLine) -> Text:
    if line.record is None:
        return Text(output.plain(line.text))
    level = str(line.record.get("level", "")).upper()
    extras = {
        name: value for name, value in line.record.items() if name not in KNOWN_FIELDS and value is not None
    }
    fields = " ".join(f"{name}={output.as_line(value)}" for name, value in extras.items())
    clock = Text(f"{line.at[11:23]} ", style="dim")
    head = Text(f"{level:<8}", style=LEVEL_STYLES.get(level, ""))
    message = output.plain(output.as_line(line.record.get("message", "")))
    return output.joined(clock, head, f"{message}  ", Text(output.plain(fields), style="dim"))


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _instant(line: str, record: dict[str, Any] | None) -> str:
    stamp = line.partition(" ")[0] if record is None else str(record.get("timestamp", "")).replace(",", ".")
    try:
        return datetime.fromisoformat(stamp).astimezone(UTC).isoformat(timespec="milliseconds")
    except ValueError:
        return ""


def _need_folder() -> Path:
    folder = log_folder()
    if folder is None or not folder.is_dir():
        raise SetupError(
            "There are no logs here: no .stepward/logs from this folder upwards.",
            "Start the laptop with `stepward up`; a stage on AWS logs to CloudWatch (/aws/lambda/…).",
        )
    return folder


def _files(folder: Path, function: str | None) -> list[Path]:
    every = sorted(folder.glob("*.log"))
    if function is None:
        return every
    if chosen := [path for path in every if path.stem == function]:
        return chosen
    known = ", ".join(path.stem for path in every) or "none yet"
    raise InputError(f"{function!r} has no log here.", f"Functions with a log: {known}.")


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("logs", help=HELP, epilog=EPILOG)(logs)
