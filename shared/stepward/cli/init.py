"""Implement `stepward init`: write a runnable workflow from a template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from stepward.cli import output
from stepward.cli.connection import JsonOption
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.input_files import read_definition
from stepward.domain.nearest import nearest

HELP = """Write a workflow from a template, with its agents, data and a sample input.

Without DIR the folder is named after the template. Existing files are never overwritten.

Examples:

  stepward init --list

  stepward init --template refund-approval

  stepward init --template nested my-orders --json
"""
_SHIPPED = Path(str(files("stepward") / "templates"))


@dataclass(frozen=True)
class Template:
    """One template folder of the package."""

    folder: Path

    @property
    def name(self) -> str:
        """Its name."""
        return self.folder.name

    @cached_property
    def workflow(self) -> dict[str, Any]:
        """The document of its workflow."""
        return read_definition(self.folder / "workflow.yaml")

    @property
    def paths(self) -> list[Path]:
        """Its files, relative to the folder that is made."""
        found = (file.relative_to(self.folder) for file in self.folder.rglob("*") if file.is_file())
        return sorted(path for path in found if "__pycache__" not in path.parts)

    def next_steps(self, folder: Path) -> list[str]:
        """The commands that run it, in order: dependencies are registered first."""
        agents = [path for path in self.paths if path.parts[0] == "agents"]
        inner = [path for path in self.paths if path.parts[0] == "workflows"]
        return [
            *(f"stepward agents register {folder / path}" for path in agents),
            *(f"stepward workflows register {folder / path}" for path in inner),
            f"stepward workflows run {folder / 'workflow.yaml'} --input @{folder / 'input.json'}",
        ]

    def write(self, folder: Path) -> None:
        """Write all files, or none if one of them exists."""
        taken = [path for path in self.paths if (folder / path).exists()]
        if taken:
            raise InputError(f"{folder / taken[0]} is there already.", "Name another DIR, or move it away.")
        try:
            for path in self.paths:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes((self.folder / path).read_bytes())
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written: {error.strerror or error}.", "Name another DIR."
            ) from error


def templates() -> dict[str, Template]:
    """Return the templates by name."""
    found = sorted(_SHIPPED.glob("*/workflow.yaml"))
    return {file.parent.name: Template(file.parent) for file in found}


def init(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="The folder to write to. Default: the template's name.", show_default=False
        ),
    ] = None,
    template: Annotated[str | None, typer.Option(help="The template's name; see --list.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="List the templates, and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a template's files."""
    if list_them or template is None:
        _list(as_json=as_json)
        return
    chosen = _find(template)
    where = folder or Path(chosen.name)
    chosen.write(where)
    if as_json:
        written = [str(where / path) for path in chosen.paths]
        output.write_json({"template": chosen.name, "files": written, "next": chosen.next_steps(where)})
        return
    output.say(f"{chosen.name} is in {where}; its README.md says what it does. Run it:", style="green")
    for step in chosen.next_steps(where):
        output.say(f"  {step}")
    if (where / "trigger.yaml").is_file():
        output.say(f"And let it start by itself: stepward triggers add {where / 'trigger.yaml'}", style="dim")
    if (where / "datasets").is_dir():
        output.say("Its datasets are uploaded each time that it is registered or run.", style="dim")


def _list(*, as_json: bool) -> None:
    known = [{"name": one.name, "description": one.workflow["description"]} for one in templates().values()]
    if as_json:
        output.write_json({"templates": known})
        return
    rows = output.table("template", "what it does")
    for one in known:
        rows.add_row(output.as_cell(one["name"]), output.as_cell(one["description"]))
    output.show(rows)
    output.say("Write one: stepward init --template NAME [DIR]", style="dim")


def _find(name: str) -> Template:
    known = templates()
    if name not in known:
        near = nearest(name, known)
        hint = f"Did you mean {near!r}? " if near else ""
        raise InputError(f"There is no template {name!r}.", f"{hint}`stepward init --list` shows them.")
    return known[name]


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("init", help=HELP, epilog=EPILOG)(init)
