"""What the documents say exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from stepward.agents.definition_checks import check_agent
from stepward.cli.main import app
from stepward.domain.agents import AgentDefinition
from stepward.sdk import Stepward
from stepward.tasks.base import Place
from stepward.tasks.catalog import CATALOG as TASK_TYPES
from stepward.tasks.catalog import find_type
from stepward.tools.catalog import CATALOG
from tests.house.source_tree import ROOT, tracked

README = (ROOT / "README.md").read_text()
DOCUMENTS = [path for path in tracked("*.md") if path.exists()]


def _routes() -> list[tuple[str, str]]:
    manifests = {path: tomllib.loads(path.read_text()) for path in tracked("functions/*/function.toml")}
    return [
        (route, _own_readme(path.parent))
        for path, manifest in manifests.items()
        for route in manifest.get("routes", [])
        if route != "$default"
    ]


def _own_readme(folder: Path) -> str:
    """What a function says of itself, as one that was made by `make new-function` does."""
    file = folder / "README.md"
    return file.read_text() if file.is_file() else ""


@pytest.mark.parametrize(("route", "own"), _routes(), ids=[route for route, _ in _routes()])
def test_every_route_is_in_the_readme(route: str, own: str) -> None:
    method, path = route.split(" ")
    shown = re.sub(r"\{\w+\}", "{id}", path).replace("+}", "}")
    assert re.search(
        rf"`({method} )?{re.escape(shown)}[`?]|`{method} [^`]*`, `{re.escape(shown)}[`?]", README + own
    ), shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Any) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(document: Any) -> None:
    commands: Any = get_command(app)
    for line in re.findall(r"^(?:\$ )?stepward ([a-z]+(?:[ -][a-z]+)*)", document.read_text(), re.MULTILINE):
        group, *rest = line.split()
        found = commands.commands[group]
        if rest and hasattr(found, "commands"):
            assert rest[0] in found.commands, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(document: Any) -> None:
    named = re.findall(r"`((?:functions|infra|shared|statemachines|tests)/[\w./-]*)`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readmes_agent_can_be_registered() -> None:
    text = re.search(r"```yaml\n(id: .*?)```", README, re.DOTALL)
    assert text
    check_agent(AgentDefinition.model_validate(yaml.safe_load(text[1])), ())


def test_the_readmes_python_uses_what_the_client_has() -> None:
    called = set(re.findall(r"client\.(\w+)\(", README))
    assert called
    assert [name for name in called if not hasattr(Stepward, name)] == []


def test_every_tool_is_in_the_readme() -> None:
    assert [name for name in CATALOG if f"| `{name}` |" not in README] == []


def _row(name: str) -> str:
    """What the README says of a type of tasks: its purpose, and its own fields, first those that must be there."""
    kind = find_type(name)
    said = kind.settings.model_fields.items()
    needed = [*(one for one, field in said if field.is_required())]
    needed += ["tasks"] if kind.place in (Place.BODY, Place.GROUP) else []
    others = [one for one, field in said if not field.is_required()]
    fields = [*(f"**`{one}`**" for one in needed), *(f"`{one}`" for one in others)]
    return f"| `{name}` | {kind.purpose.rstrip('.')} | {', '.join(fields)} |"


def test_the_readmes_table_of_task_types_is_the_gallerys() -> None:
    table = ["| type | what it does | its own fields |", "| --- | --- | --- |", *map(_row, TASK_TYPES)]
    assert "\n".join(table) in README, "put this into the README:\n\n" + "\n".join(table)
