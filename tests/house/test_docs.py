"""What the documents say exists."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from docs.generator import reference
from docs.generator.__main__ import requests_elsewhere
from stepward.agents.definition_checks import check_agent
from stepward.cli.main import app
from stepward.domain.agents import AgentDefinition
from stepward.sdk import Stepward
from stepward.tools.catalog import CATALOG
from tests.house.source_tree import ROOT, tracked
from tests.support.docs_pages import DOCS, README, listed, page, written

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
def test_what_every_route_answers_is_told(route: str, own: str) -> None:
    method, path = route.split(" ")
    shown = re.sub(r"\{\w+\}", "{id}", path).replace("+}", "}")
    assert re.search(
        rf"`({method} )?{re.escape(shown)}[`?]|`{method} [^`]*`, `{re.escape(shown)}[`?]",
        page("guides/requests.md") + page("guides/triggers.md") + own,
    ), shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Any) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= targets


@cache
def _commands() -> Any:
    """Build the tree of commands once: it takes a tenth of a second."""
    return get_command(app)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(document: Any) -> None:
    commands = _commands()
    for line in re.findall(r"^(?:\$ )?stepward ([a-z]+(?:[ -][a-z]+)*)", document.read_text(), re.MULTILINE):
        group, *rest = line.split()
        found = commands.commands[group]
        if rest and hasattr(found, "commands"):
            assert rest[0] in found.commands, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(document: Any) -> None:
    named = re.findall(r"`((?:functions|infra|shared|statemachines|tests)/[\w./-]*)`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "readme", tracked("*/README.md"), ids=lambda path: str(path.parent.relative_to(ROOT))
)
def test_every_part_that_a_map_names_exists(readme: Path) -> None:
    named = re.findall(r"`([a-z_][\w/]*/\w+\.py)`", readme.read_text())
    assert [name for name in named if not any((at / name).exists() for at in (readme.parent, ROOT))] == []


def test_the_readmes_agent_can_be_registered() -> None:
    text = re.search(r"```yaml\n(id: .*?)```", README, re.DOTALL)
    assert text
    check_agent(AgentDefinition.model_validate(yaml.safe_load(text[1])), ())


def test_the_pages_python_uses_what_the_client_has() -> None:
    called = set(re.findall(r"client\.(\w+)\(", "".join(written().values())))
    assert called
    assert [name for name in called if not hasattr(Stepward, name)] == []


def test_every_tool_is_told() -> None:
    assert [name for name in CATALOG if f"| `{name}` |" not in page("guides/tools.md")] == []


def test_requests_that_may_be_sent_again_with_a_key_are_those_that_the_guide_names() -> None:
    readers = [path for path in tracked("functions/*/*.py") if "idempotency-key" in path.read_text()]
    routes = {
        route
        for path in readers
        for route, does in re.findall(
            r'@router\.post\("([^"]+)"\)(.*?)(?=\n@router|\Z)', path.read_text(), re.DOTALL
        )
        if "idempotency-key" in does
    }
    assert routes == {
        "/agents/<agent_id>/runs",
        "/workflows/<workflow_id>/runs",
        "/runs/<run_id>/fork",
        "/runs/<run_id>/rerun",
    }
    said = " ".join(page("guides/requests.md").split())
    assert "A start of an agent or a workflow, a fork and a rerun may carry an `Idempotency-Key`" in said


def test_the_reference_is_as_the_code_would_have_it() -> None:
    assert reference.drifted() == [], "run `make docs` and commit what it writes"


def test_drift_is_noticed(tmp_path: Path) -> None:
    reference.write(tmp_path)
    (tmp_path / "errors.md").write_text((tmp_path / "errors.md").read_text().replace("NotFound", "Lost"))
    (tmp_path / "tools.md").unlink()
    (tmp_path / "old.md").write_text("# Old")
    assert reference.drifted(tmp_path) == ["errors.md", "old.md", "tools.md"]
    reference.write(tmp_path)
    assert reference.drifted(tmp_path) == []


def test_every_page_is_in_the_menu() -> None:
    assert sorted(listed()) == sorted(str(file.relative_to(DOCS)) for file in DOCS.rglob("*.md"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(document: Any) -> None:
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8 * 1024


def test_the_readmes_agent_is_that_of_the_first_page() -> None:
    shown = [
        re.search(r"```yaml\n(id: order-desk.*?)```", text, re.DOTALL) for text in (README, page("start.md"))
    ]
    assert shown[0] is not None
    assert shown[1] is not None
    assert shown[0][1] == shown[1][1]


@pytest.mark.parametrize(
    ("name", "text", "asks"),
    [
        ("a.html", '<script src="https://cdn.example/x.js"></script>', True),
        ("a.html", '<link rel="stylesheet" href="//fonts.example/css">', True),
        ("a.html", '<a href="https://example.com">out</a><img src="x.svg">', False),
        ("a.html", '<link rel="canonical" href="http://localhost/docs/">', False),
        ("a.css", "@import url(https://fonts.example/x.css);", True),
        ("a.css", "a { background: url(data:image/svg+xml;x) }", False),
    ],
)
def test_what_a_page_would_load_from_elsewhere_is_found(
    tmp_path: Path, name: str, text: str, asks: bool
) -> None:
    (tmp_path / name).write_text(text)
    assert bool(list(requests_elsewhere(tmp_path))) is asks
