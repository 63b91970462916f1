"""`stepward agents validate` and `stepward agents schema`: what is wrong with files, before anything is registered."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from stepward.cli import screen
from stepward.cli.agent_lifecycle import app
from stepward.cli.agent_references import look_up
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect, find_target, offline
from stepward.cli.definition_files import DefinitionFile, spelled, with_origins
from stepward.cli.exit_codes import EPILOG, FAILED, OK
from stepward.cli.inputs import read_standard_input, read_written
from stepward.domain.documents import Document, Refused, read_document
from stepward.sdk import Stepward

if TYPE_CHECKING:
    from stepward.cli.offline import OfflineAgents

__all__ = ["app"]
STANDARD_INPUT: Final = "<stdin>"
VALIDATE_HELP = """Say all that is wrong with agents' files, a line each: file:line:column: field: what (how to mend it).

Nothing is registered. Ends with 1 if anything is wrong. Names of agents, workflows and functions are looked up
where a server is known; without one, they are warnings.

Examples:

  stepward agents validate my-agent.yaml

  stepward agents validate agents/*.yaml --json | jq -r '.problems[].field'
"""
SCHEMA_HELP = """Print the JSON Schema of agents' files, by which editors complete and check them.

Examples:

  stepward agents schema > agent.schema.json

  sed -i '1i # yaml-language-server: $schema=agent.schema.json' my-agent.yaml
"""


@dataclass(frozen=True)
class _Found:
    """What was found of one file, ready to be printed."""

    file: str
    problems: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


@app.command("validate", help=VALIDATE_HELP, epilog=EPILOG)
def validate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Files, .yaml, .yml or .json; - is standard input.")
    ],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say all that is wrong with files."""
    read = [_read(given) for given in files]
    known = offline().agents
    with connect(url, key) if find_target(url, key) else nullcontext() as stepward:
        found = [_examined(file, known, stepward) for file in read]
    if as_json:
        problems = [each for one in found for each in one.problems]
        screen.write_json(
            {"problems": problems, "warnings": [each for one in found for each in one.warnings]}
        )
    else:
        for one in found:
            _show(one)
    raise typer.Exit(FAILED if any(one.problems for one in found) else OK)


def _read(given: str) -> DefinitionFile:
    """Read a file; one that is no YAML or JSON is read as an empty one with problems."""
    path = Path(STANDARD_INPUT if given == "-" else given)
    try:
        document = read_document(read_standard_input()) if given == "-" else read_written(path)
    except Refused as error:
        document = Document({}, problems=tuple(error.problems))
    return DefinitionFile(path, with_origins(document))


def _examined(file: DefinitionFile, known: OfflineAgents, stepward: Stepward | None) -> _Found:
    name = str(file.path)
    if file.document.problems:
        problems = [one.model_dump(exclude_none=True) for one in file.document.problems]
        return _Found(name, [{"file": name, **one} for one in problems], [])
    findings = known.findings(file.body)
    wrong, open_yet = look_up(stepward, findings.unchecked) if stepward else ([], findings.unchecked)
    return _Found(name, file.with_places([*findings.faults, *wrong]), file.with_places(open_yet))


def _show(found: _Found) -> None:
    for one in found.problems:
        screen.remark(spelled(one), style="red")
    if not found.problems:
        screen.say(f"{found.file}: nothing is wrong.", style="green")
    for one in found.warnings:
        screen.remark(f"{spelled(one)} [warning]", style="yellow")


@app.command("schema", help=SCHEMA_HELP, epilog=EPILOG)
def schema(as_json: JsonOption = False) -> None:
    """Print the JSON Schema of agents' files."""
    del as_json  # it is JSON in any case
    screen.write_json(offline("The schema of agents' files").agents.schema())
