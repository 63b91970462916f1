"""Takes workflows' files for the commands, and tells what is wrong with one as a compiler would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepward.cli import completion, output
from stepward.cli.commands_for_routes import in_commands
from stepward.cli.exit_codes import REFUSED
from stepward.cli.input_files import read_standard_input, read_text
from stepward.sdk import DocumentRefused, WorkflowProblem

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="The workflow's file, YAML or JSON; - is standard input.")
]
FileOrIdArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|ID",
        help="A file, or the id of a workflow that is registered.",
        autocompletion=completion.workflows,
    ),
]
VersionOption = Annotated[str | None, typer.Option(help="A version of it. Default: the newest.")]
STANDARD_INPUT: Final = "<stdin>"


@dataclass(frozen=True)
class Source:
    """A document on its way: as people name it, and as the client takes it."""

    name: str
    document: str | Path


def is_file(given: str) -> bool:
    """Tell a file from a workflow's id, which has neither dots nor slashes."""
    return given == "-" or "." in given or "/" in given or Path(given).is_file()


def source_of(given: str) -> Source:
    """Find the document behind an argument; one that cannot be read says why."""
    if given == "-":
        return Source(STANDARD_INPUT, read_standard_input())
    path = Path(given)
    # The API would say the same of bytes that are no UTF-8, but not in which file.
    read_text(path)
    return Source(given, path)


def shown(source: Source, problem: WorkflowProblem) -> dict[str, Any]:
    """Write a problem for programs, with its file."""
    return {
        "file": source.name,
        **{name: value for name, value in asdict(problem).items() if value is not None},
    }


@contextmanager
def refusals_of(source: Source, *, as_json: bool) -> Iterator[None]:
    """Show people every problem of a refused document at its place in their file."""
    try:
        yield
    except DocumentRefused as error:
        if as_json:
            raise
        for problem in error.problems:
            output.complain(in_commands(problem.as_diagnostic(source.name)))
        raise typer.Exit(REFUSED) from error
