"""The published schema takes what the platform takes, and finds the mistakes that an editor can find."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.tasks.catalog import all_types
from stepward.workflows.checks import examine
from stepward.workflows.documents import json_schema
from stepward.workflows.documents.aliases import ERROR_RULES
from tests.support.workflow_texts import schema

TASKS: dict[str, dict[str, Any]] = {kind.name: {"type": kind.name, **kind.example} for kind in all_types()}
COMMON: dict[str, Any] = {
    "name": "A", "description": "It does.", "needs": ["z"], "when": "{% $tasks.z = 1 %}", "run_when": "any_done",
    "on_error": "continue", "priority": 9, "data": "pii",
}  # fmt: skip


def document(**task: Any) -> dict[str, Any]:
    return {
        "id": "demo",
        "name": "Demo",
        "version": "1.0.0",
        "tasks": [{"id": "z", "output": 1}, {"id": "a", **task}],
    }


def faults(value: Any) -> list[str]:
    return [one.message for one in schema().iter_errors(value)]


@pytest.mark.parametrize("kind", TASKS)
def test_tasks_of_every_type_fit_both_the_model_and_the_schema(kind: str) -> None:
    value = document(**COMMON, **TASKS[kind])
    assert examine(value)[1] == []
    assert faults(value) == []


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("extra", [{"tempo": 3}, {"agnt": "x"}, {"settings": {}}])
def test_unknown_fields_fit_neither(kind: str, extra: dict[str, Any]) -> None:
    value = document(**TASKS[kind], **extra)
    assert "unknown-field" in {one.code for one in examine(value)[1]}
    assert faults(value) != []


@pytest.mark.parametrize("kind", TASKS)
def test_a_type_may_be_told_by_its_fields(kind: str) -> None:
    value = document(**{name: one for name, one in TASKS[kind].items() if name != "type"})
    assert examine(value)[1] == []
    assert faults(value) == []
    wrong = document(**{name: one for name, one in TASKS[kind].items() if name != "type"}, tempo=3)
    assert faults(wrong) != []


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"agent": "xx", "tool": "calculate"},
        {"type": "agnt", "agent": "xx"},
        {"type": "agent"},
        {"agent": "xx", "retry": {"attempts": 3}},
        {"agent": "xx", "retry": "often"},
        {"agent": "xx", "timeout_s": "soon"},
        {"agent": "xx", "run_when": "never"},
        {"agent": "xx", "on_error": "stumble"},
        {"agent": "xx", "tasks": [{"id": "b", "output": 1}]},
        {"agent": "xx", "next": [{"too": "b"}]},
        {"seconds": "3"},
        {"wait_for_call": "yes", "timeout_s": 3},
        {"parallel": []},
        {"foreach": [1], "do": {"frobnicate": 1}},
        {"question": "Sure?", "timeout_s": 60, "form": "sum"},
    ],
)
def test_what_the_platform_refuses_an_editor_shows(task: dict[str, Any]) -> None:
    assert examine(document(**task))[1] != []
    assert faults(document(**task)) != []


@pytest.mark.parametrize("word", ["fail", "continue", "fail-fast", *ERROR_RULES])
def test_other_words_for_what_a_failure_does_are_taken(word: str) -> None:
    assert examine(document(output=1, on_error=word))[1] == []
    assert faults(document(output=1, on_error=word)) == []


@pytest.mark.parametrize(
    "value", [{"retri": 3}, {"policy": {"redact": True}}, {"version": 1.0}, {"tasks": []}, {"start": 3}]
)
def test_the_workflows_own_fields_are_closed_too(value: dict[str, Any]) -> None:
    assert faults({**document(output=1), **value}) != []


def test_the_schema_is_plain_json_that_names_what_fields_are_for() -> None:
    made = json_schema()
    assert json.loads(json.dumps(made)) == made
    assert "state machine" in made["properties"]["start"]["description"]
    assert made["$defs"]["task_human"]["description"].startswith("Asks a person")
    assert all("description" in one for one in made["properties"].values())
