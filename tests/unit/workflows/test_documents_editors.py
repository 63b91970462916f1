"""What an editor makes of the published schema: which fields it offers, and what it says of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stepward.domain.documents.yaml_text import read_yaml
from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflows.documents import json_schema
from stepward.workflows.documents.aliases import TASK_NAMES
from tests.support.docs_pages import page
from tests.support.workflow_texts import schema

ROOT = Path(__file__).resolve().parents[3]
KEPT = sorted([*ROOT.glob("shared/stepward/templates/*/workflow*/*.yaml"), *ROOT.glob("tests/golden/workflows/*.yaml"),
               *ROOT.glob("shared/stepward/templates/*/workflow.yaml")])  # fmt: skip
SCHEMA = json_schema()
EDITOR = Draft202012Validator(SCHEMA)


def followed(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def offered(schema: dict[str, Any], value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields that language servers complete: those of each schema that the branches lead to for what stands there."""
    schema = followed(schema)
    found = {name: one for name, one in schema.get("properties", {}).items() if not one.get("doNotSuggest")}
    inner = list(schema.get("allOf", ()))
    if "if" in schema:
        holds = EDITOR.evolve(schema=schema["if"]).is_valid(value)
        inner += [schema[way] for way in ("then" if holds else "else",) if way in schema]
    for one in inner:
        found |= offered(one, value)
    return found


def of_task(**task: Any) -> dict[str, dict[str, Any]]:
    return offered({"$ref": "#/$defs/task"}, task)


def fields(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field that the schema knows anywhere, but those that only ask whether another one is there."""
    if isinstance(node, dict):
        if "required" not in node or node.get("type") == "object":
            yield from ((f"{path}.{name}", one) for name, one in node.get("properties", {}).items())
        for key, inner in node.items():
            yield from fields(inner, f"{path}.{key}") if key != "if" else ()
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from fields(inner, f"{path}.{index}")


def test_every_field_says_what_it_is_for() -> None:
    said = dict(fields(SCHEMA))
    assert len(said) > 200
    silent = [
        path for path, one in said.items() if not one.get("description") and not one.get("doNotSuggest")
    ]
    assert silent == []


def test_what_pydantic_says_for_itself_is_left_out() -> None:
    shown = str(SCHEMA).replace("'title': 'Stepward workflow'", "")
    assert "'title'" not in shown
    assert "'default': None" not in shown


@pytest.mark.parametrize("kind", CATALOG)
def test_the_fields_of_its_type_are_offered_and_no_others(kind: str) -> None:
    own = find_type(kind).settings.model_fields
    names = of_task(type=kind)
    others = {name for other in CATALOG for name in find_type(other).settings.model_fields} - own.keys()
    assert own.keys() <= names.keys()
    assert not names.keys() & (others - {"max_parallel"})
    assert ("tasks" in names) is find_type(kind).holds_tasks
    assert not names.keys() & (TASK_NAMES.keys() - {"do"})


def test_a_field_that_tells_the_type_brings_the_others_of_that_type() -> None:
    assert {"max_items", "chunk_size", "collect"} <= of_task(items=[1]).keys()
    assert {"approvers", "form", "on_deny"} <= of_task(question="Sure?").keys()
    assert "form" not in of_task(seconds=3)


def test_a_task_that_has_only_begun_is_offered_what_may_come_next() -> None:
    names = of_task(id="a")
    assert {
        "id",
        "type",
        "needs",
        "when",
        "with",
        "agent",
        "tool",
        "items",
        "question",
        "seconds",
    } <= names.keys()
    assert set(names["type"]["enum"]) >= CATALOG.keys()


def test_defaults_choices_and_kinds_are_shown_at_the_field() -> None:
    each, ask, call = of_task(type="foreach"), of_task(type="human"), of_task(type="webhook")
    assert (each["max_items"]["default"], each["max_items"]["maximum"]) == (100, 10_000)
    assert each["max_items"]["type"] == ["integer", "null"]
    assert (ask["on_deny"]["default"], ask["on_deny"]["anyOf"][0]["enum"]) == ("fail", ["fail", "continue"])
    assert call["effect"]["anyOf"][0]["enum"] == ["none", "idempotent", "once"]
    assert SCHEMA["properties"]["timeout_s"]["default"] == 86_400
    assert "default" not in each["timeout_s"]
    assert [one["enum"] for one in each["on_error"]["anyOf"] if "enum" in one] == [["fail", "continue"]]
    retry = SCHEMA["$defs"]["retry"]["anyOf"][1]["properties"]["strategy"]
    assert (retry["default"], "linear" in retry["anyOf"][0]["enum"]) == ("exponential", True)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: "/".join(path.parts[-2:]))
def test_the_workflows_that_come_with_it_are_free_of_marks(path: Path) -> None:
    tree = read_yaml(path.read_text(encoding="utf-8")).tree
    assert [one.message for one in schema().iter_errors(tree)] == []


def test_the_pages_workflow_is_too() -> None:
    text = re.search(r"```yaml\n(id: billing-flow.*?)```", page("guides/workflows.md"), re.DOTALL)
    assert text
    assert [one.message for one in schema().iter_errors(read_yaml(text[1]).tree)] == []


def test_nothing_of_it_was_overlooked() -> None:
    assert len(KEPT) >= 18
