"""Implement `stepward agents` for labels, states and folders of definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stepward.cli import output
from stepward.cli.agents import app
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, FAILED, InputError
from stepward.cli.input_files import DefinitionFile, as_diagnostic
from stepward.cli.options import AgentArgument, YesOption, confirm
from stepward.sdk import ApiError, Stepward
from stepward.sdk.shapes import AgentState

__all__ = ["app"]
ENDINGS = {".yaml", ".yml", ".json"}
LabelArgument = Annotated[str, typer.Argument(metavar="LABEL", help="Such as prod.")]
IMPORT_HELP = """Register every agent file of a folder (.yaml, .yml, .json but no .schema.json), those first that others name.

A file that is refused does not stop the others; the exit code says that there was one.

Examples:

  stepward agents import my-agents/

  stepward agents import my-agents/ --json | jq '.refused'
"""


@app.command("labels", help="List an agent's labels.", epilog=EPILOG)
def labels(
    agent_id: AgentArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """List an agent's labels."""
    with connect(url, key) as stepward:
        found = stepward.lifecycle.labels(agent_id)
    if as_json:
        output.write_json(found)
        return
    table = output.table("label", "version", "set")
    for each in found["labels"]:
        table.add_row(*(output.as_cell(each[name]) for name in ("label", "version", "set_at")))
    output.show(table)


@app.command(
    "label", help="Point a label to a version; runs started with it get that version.", epilog=EPILOG
)
def label(
    agent_id: AgentArgument,
    name: LabelArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Such as 1.0.0.")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Point a label to a version."""
    with connect(url, key) as stepward:
        pointed = stepward.lifecycle.set_label(agent_id, name, version)
    if as_json:
        output.write_json(pointed)
    else:
        output.say(f"{name} is {version} of {agent_id}.", style="green")


@app.command("unlabel", help="Remove a label.", epilog=EPILOG)
def unlabel(
    agent_id: AgentArgument,
    name: LabelArgument,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a label."""
    with connect(url, key) as stepward:
        stepward.lifecycle.remove_label(agent_id, name)
    if as_json:
        output.write_json({"id": agent_id, "label": name})
    else:
        output.say(f"{agent_id} has no label {name} any more.", style="green")


@app.command("move", help="Move an agent to another state, such as READY after a failure.", epilog=EPILOG)
def move(
    agent_id: AgentArgument,
    to: Annotated[AgentState, typer.Argument(metavar="STATE", help="The next state.")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move an agent to another state by hand."""
    with connect(url, key) as stepward:
        moved = stepward.lifecycle.move(agent_id, to)
    if as_json:
        output.write_json(moved)
    else:
        output.say(f"{moved['id']} is {moved['view']}.", style="green")


@app.command("end", help="End an agent for good: nothing starts it any more; its runs go on.", epilog=EPILOG)
def end(
    agent_id: AgentArgument,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Terminate an agent."""
    confirm(f"End the agent {agent_id} for good?", yes=yes)
    with connect(url, key) as stepward:
        ended = stepward.lifecycle.end(agent_id)
    if as_json:
        output.write_json(ended)
    else:
        output.say(f"{ended['id']} is {ended['state']}.", style="green")


@app.command("import", help=IMPORT_HELP, epilog=EPILOG)
def import_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; folders in it are not read.")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register every definition in a folder."""
    definitions = _in_order(read_folder(folder))
    with connect(url, key) as stepward:
        outcomes = [_register(stepward, definition) for definition in definitions]
    registered = [one for one in outcomes if "code" not in one]
    refused = [one for one in outcomes if "code" in one]
    if as_json:
        output.write_json({"registered": registered, "refused": refused})
    else:
        _report(registered, refused)
    if refused:
        raise typer.Exit(FAILED)


def read_folder(folder: Path) -> list[DefinitionFile]:
    """Read all files before any is sent: a folder with a broken file is not half imported."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", "Give the folder that holds the agents' files.")
    files = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS and not _is_schema(path))
    if not files:
        raise InputError(f"{folder} holds no .yaml, .yml or .json file.", "Give the folder with the files.")
    return [DefinitionFile.read(path) for path in files]


def _is_schema(path: Path) -> bool:
    """Return True for a schema file.

    `agents schema` and `workflows schema` are often written beside the files that they describe.
    """
    return path.name.endswith(".schema.json")


def _in_order(read: list[DefinitionFile]) -> list[DefinitionFile]:
    """Sort agents behind those that they name; a cycle keeps the files' order."""
    left, ordered = list(read), list[DefinitionFile]()
    while left:
        waiting = {_id(one) for one in left}
        free = [one for one in left if not (_named(one.body) - {_id(one)}) & waiting] or left[:1]
        ordered += free
        left = [one for one in left if one not in free]
    return ordered


def _id(file: DefinitionFile) -> str:
    return str(file.document.tree.get("id"))


def _named(body: dict[str, Any]) -> set[str]:
    """Return the agents that a definition names.

    A malformed part is skipped: the stage checks it.
    """
    needed, tools, team = (body.get(name) for name in ("dependencies", "tools", "team"))
    named = {str(one) for one in needed} if isinstance(needed, list) else set()
    for member in [*(tools if isinstance(tools, list) else []), *(team if isinstance(team, list) else [])]:
        if isinstance(member, dict):
            config = member.get("config")
            within = config.get("agent") if isinstance(config, dict) else None
            named |= {str(one) for one in (member.get("agent"), member.get("handoff"), within) if one}
    return named


def _register(stepward: Stepward, definition: DefinitionFile) -> dict[str, Any]:
    file = str(definition.path)
    try:
        return {"file": file, **stepward.register_agent(definition.body)}
    except ApiError as error:
        named = {"field": error.field, "detail": error.detail, "fix": error.fix}
        return {"file": file, "code": error.code, **named, "errors": definition.problems_in(error)}


def _report(registered: list[dict[str, Any]], refused: list[dict[str, Any]]) -> None:
    for one in registered:
        output.say(f"{one['id']} {one['version']} is registered.", style="green")
    for one in (each for refusal in refused for each in refusal["errors"]):
        output.print_wrapped(as_diagnostic(one), style="red")
    output.say(f"{len(registered)} registered, {len(refused)} refused.")
