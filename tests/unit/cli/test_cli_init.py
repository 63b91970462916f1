"""`stepward init` writes templates, all of a template or nothing, and says how to run it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from stepward.agents.definition_checks import check_agent
from stepward.cli.init import Template, templates
from stepward.domain.agents import AgentDefinition
from stepward.domain.json_schemas import faults_of_value
from stepward.workflows.checks.validate import examine
from tests.support.docs_pages import page
from tests.unit.cli.conftest import Run

TEMPLATES = templates().values()


def test_the_list_names_each_with_what_it_does(run: Run) -> None:
    listed = run("init", "--list", "--json").json["templates"]
    assert len(listed) >= 12
    assert all(one["description"] for one in listed)
    assert "refund-approval" in run("init", "--list").out
    assert run("init", "--json").json["templates"] == listed


def test_a_template_is_written_whole_with_the_way_to_run_it(run: Run, bare_folder: Path) -> None:
    seen = run("init", "--template", "nested", "orders", "--json").json
    assert "orders/workflows/fulfil-line.yaml" in seen["files"]
    assert all((bare_folder / file).is_file() for file in seen["files"])
    assert seen["next"] == [
        "stepward agents register orders/agents/label-writer.yaml",
        "stepward workflows register orders/workflows/fulfil-line.yaml",
        "stepward workflows run orders/workflow.yaml --input @orders/input.json",
    ]


def test_without_a_folder_it_is_called_like_the_template(run: Run, bare_folder: Path) -> None:
    seen = run("init", "--template", "batch")
    assert "stepward workflows run batch/workflow.yaml" in seen.out
    assert "stepward triggers add batch/trigger.yaml" in seen.out
    assert (bare_folder / "batch" / "README.md").is_file()


def test_nothing_is_written_over(run: Run, bare_folder: Path) -> None:
    mine = bare_folder / "batch" / "workflow.yaml"
    mine.parent.mkdir()
    mine.write_text("mine")
    seen = run("init", "--template", "batch")
    assert (seen.code, "is there already" in seen.err) == (2, True)
    assert list(mine.parent.iterdir()) == [mine]
    assert mine.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(run: Run, bare_folder: Path) -> None:
    (bare_folder / "file").write_text("")
    assert run("init", "--template", "batch", "file/in").code == 2


def test_an_unknown_template_is_told_with_the_nearest(run: Run) -> None:
    seen = run("init", "--template", "refund-aproval")
    assert (seen.code, "refund-approval" in seen.err) == (2, True)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_template_is_whole(template: Template) -> None:
    for file in (template.folder / "workflow.yaml", *template.folder.glob("workflows/*.yaml")):
        definition, problems = examine(file.read_bytes(), "yaml")
        assert definition is not None, problems
    agents = [
        AgentDefinition.model_validate(yaml.safe_load(file.read_text()))
        for file in template.folder.glob("agents/*.yaml")
    ]
    for agent in agents:
        check_agent(agent, ())
    assert set(_said(template, "agent")) == {agent.id for agent in agents}
    named = {source.removeprefix("datasets/") for source in _said(template, "source")}
    assert named == {file.name for file in template.folder.glob("datasets/*")}
    given = json.loads((template.folder / "input.json").read_text())
    assert list(faults_of_value(given, template.workflow["input"])) == []
    lines = (template.folder / "README.md").read_text().strip().splitlines()
    assert lines[0].startswith("# ")
    assert 3 <= len(lines) <= 6


def _said(template: Template, field: str) -> list[str]:
    """Every value of a field in the template's workflows."""
    texts = [file.read_text() for file in template.folder.glob("workflow*.yaml")]
    texts += [file.read_text() for file in template.folder.glob("workflows/*.yaml")]
    return [found for text in texts for found in re.findall(rf"\b{field}: ([\w./-]+)", text)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_template_is_told(template: Template) -> None:
    assert f"| `{template.name}` |" in page("guides/templates.md")
