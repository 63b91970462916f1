"""Implement `stepward agents validate` and `stepward agents schema`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from stepward.cli import output
from stepward.cli.agent_lifecycle import app
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect, find_target, offline
from stepward.cli.exit_codes import EPILOG, FAILED, OK
from stepward.cli.input_files import (
    STANDARD_INPUT,
    DefinitionFile,
    as_diagnostic,
    read_standard_input,
    read_written,
    with_origins,
)
from stepward.domain.documents import Document, Refused, read_document
from stepward.sdk import ApiError, Stepward

if TYPE_CHECKING:
    from stepward.cli.offline import OfflineAgents


Entry = dict[str, str]
_NOT_FOUND: Final = 404
_READY: Final = "READY"


def look_up(stepward: Stepward, unchecked: Iterable[Mapping[str, str]]) -> tuple[list[Entry], list[Entry]]:
    """Look each name up on a server.

    Args:
        stepward: The server.
        unchecked: The names in a definition, as the checks without a server return them.

    Returns:
        Problems that registering would refuse; and warnings, of what may come later or has no route to ask.

    Raises:
        ApiError: The server refuses to answer.
        Unreachable: It does not answer.
    """
    wrong, open_yet = list[Entry](), list[Entry]()
    for one in unchecked:
        kind = one["code"].removeprefix("unchecked-")
        ask = _ASKED.get(kind)
        if ask is None:
            open_yet.append(dict(one))
        elif fault := ask(stepward, one):
            problem = {**one, "code": f"unknown-{kind}", **fault}
            (open_yet if kind in _MAY_COME else wrong).append(problem)
    return wrong, open_yet


def _agent(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name, version = one["name"], one.get("version")
    found = _found(lambda: stepward.agent(name, version=version))
    if found is None:
        which = f"version {version!r} of an agent {name!r}" if version else f"agent {name!r}"
        return {"detail": f"there is no {which}", "fix": "register it first, or name one of `agents ls`"}
    if found["state"] != _READY:
        return {"detail": f"the agent {name!r} is {found['state']}", "fix": "only one that is READY runs"}
    return None


def _workflow(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name, version = one["name"], one.get("version")
    number = None if version == "latest" else version
    if _found(lambda: stepward.workflows.show(name, version=number)) is not None:
        return None
    which = f"version {version} of a workflow {name!r}" if version else f"workflow {name!r}"
    return {"detail": f"there is no {which}", "fix": "register it before a run needs it"}


def _prompt(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name, version = one["name"], one["version"]
    if _found(lambda: stepward.prompts.get(name, version=version)) is not None:
        return None
    fix = "register it first, or name one of `stepward prompts ls`"
    return {"detail": f"there is no version or label {version!r} of a prompt {name!r}", "fix": fix}


def _tool(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    name = one["name"]
    if _found(lambda: stepward.tools.show(name)) is not None:
        return None
    return {"detail": f"no function {name!r} is published", "fix": "`stepward tools ls` lists those that are"}


def _model(stepward: Stepward, one: Mapping[str, str]) -> Entry | None:
    if any(price["model"] == one["name"] for price in stepward.prices.list()):
        return None
    return {"detail": f"the model {one['name']!r} has no price"}


def _found(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return None


_ASKED: Final[Mapping[str, Callable[[Stepward, Mapping[str, str]], Entry | None]]] = {
    "agent": _agent,
    "prompt": _prompt,
    "handoff": _agent,
    "workflow": _workflow,
    "tool": _tool,
    "model": _model,
}
_MAY_COME: Final = frozenset({"handoff", "workflow"})
"""Kinds that may be registered after the agent that names them."""
__all__ = ["app"]
VALIDATE_HELP = """Check agents' files; prints a line for each problem: file:line:column: field: what (fix).

Nothing is registered. Exits 1 if there is a problem. Names of agents, prompts, workflows and functions are
looked up where a server is known; without one, they are warnings.

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
    """The findings of one file, ready to be printed."""

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
    """Report all problems of agents' files."""
    read = [_read(given) for given in files]
    known = offline().agents
    with connect(url, key) if find_target(url, key) else nullcontext() as stepward:
        found = [_examined(file, known, stepward) for file in read]
    if as_json:
        problems = [each for one in found for each in one.problems]
        output.write_json(
            {"problems": problems, "warnings": [each for one in found for each in one.warnings]}
        )
    else:
        for one in found:
            _show(one)
    raise typer.Exit(FAILED if any(one.problems for one in found) else OK)


def _read(given: str) -> DefinitionFile:
    """Read a file; one that is neither YAML nor JSON becomes an empty document with problems."""
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
    return _Found(name, file.with_positions([*findings.faults, *wrong]), file.with_positions(open_yet))


def _show(found: _Found) -> None:
    for one in found.problems:
        output.print_wrapped(as_diagnostic(one), style="red")
    if not found.problems:
        output.say(f"{found.file}: nothing is wrong.", style="green")
    for one in found.warnings:
        output.print_wrapped(f"{as_diagnostic(one)} [warning]", style="yellow")


@app.command("schema", help=SCHEMA_HELP, epilog=EPILOG)
def schema(as_json: JsonOption = False) -> None:
    """Print the JSON Schema of agents' files."""
    del as_json  # it is JSON in any case
    output.write_json(offline("The schema of agents' files").agents.schema())
