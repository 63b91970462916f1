"""What the API refuses of an agent or a trigger is told at its place in the person's file, all of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, problem

Stage = Callable[..., FakeApi]

FILE = """\
id: Desk
name: Desk
tols: []
tools:
  - agent: nobody
rehearsal:
  turns:
    - say: one
    - choose:
        - call: [{tool: guess}]
"""
ERRORS = [
    {
        "code": "wrong-value",
        "field": "rehearsal.turns.1.choose.0.call.0.tool",
        "detail": "no tool",
        "fix": "add it",
    },
    {
        "code": "unknown-field",
        "field": "tols",
        "detail": "there is no field 'tols'",
        "fix": "did you mean 'tools'?",
    },
    {"code": "wrong-value", "field": "tools.0.config.agent", "detail": "no agent", "fix": "register it"},
    {"code": "missing-field", "field": "prompt", "detail": "'prompt' is missing", "fix": "add 'prompt'"},
]
PLACES = [(1, 1, "prompt"), (3, 1, "tols"), (5, 5, "tools.0.config.agent"), (10, 19, ERRORS[0]["field"])]


@pytest.fixture
def refused(stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "desk.yaml").write_text(FILE, encoding="utf-8")
    stage(problem(400, "InvalidRequest", "no tool (and 3 more)", field=ERRORS[0]["field"], errors=ERRORS))


def places(entries: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return [(one["line"], one["column"], one["field"]) for one in entries]


@pytest.mark.parametrize("words", [("agents", "register"), ("triggers", "add")])
@pytest.mark.usefixtures("refused")
def test_every_fault_has_a_line_of_its_own(run: Run, words: tuple[str, ...]) -> None:
    seen = run(*words, "desk.yaml")
    assert seen.code == 3
    assert seen.err.splitlines() == [
        "desk.yaml:1:1: prompt: 'prompt' is missing (add 'prompt')",
        "desk.yaml:3:1: tols: there is no field 'tols' (did you mean 'tools'?)",
        "desk.yaml:5:5: tools.0.config.agent: no agent (register it)",
        "desk.yaml:10:19: rehearsal.turns.1.choose.0.call.0.tool: no tool (add it)",
    ]


@pytest.mark.usefixtures("refused")
def test_programs_get_the_same_with_file_line_and_column(run: Run) -> None:
    seen = run("agents", "register", "desk.yaml", "--json")
    found = json.loads(seen.out)
    assert (seen.code, found["code"]) == (3, "InvalidRequest")
    assert places(found["errors"]) == PLACES
    assert {one["file"] for one in found["errors"]} == {"desk.yaml"}


@pytest.mark.usefixtures("refused")
def test_a_folder_tells_the_faults_of_each_file(run: Run) -> None:
    seen = run("agents", "import", ".", "--json")
    (refusal,) = json.loads(seen.out)["refused"]
    assert (seen.code, places(refusal["errors"])) == (1, PLACES)


def test_a_single_fault_has_its_place_too(run: Run, stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "desk.yaml").write_text(FILE, encoding="utf-8")
    stage(problem(400, "InvalidRequest", "no agent", field="tools.0.config.agent", fix="register it"))
    assert (
        run("agents", "register", "desk.yaml").err
        == "desk.yaml:5:5: tools.0.config.agent: no agent (register it)\n"
    )


def test_what_is_no_fault_of_the_file_is_told_as_ever(run: Run, stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "desk.yaml").write_text(FILE, encoding="utf-8")
    stage(problem(409, "Conflict", "it is there with other content.", field="version", fix="raise it"))
    assert run("agents", "register", "desk.yaml").err.startswith("Conflict: it is there")


def test_a_field_is_named_once(run: Run, stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "desk.yaml").write_text(FILE, encoding="utf-8")
    stage(problem(400, "InvalidRequest", "id: it is too short", field="id", fix="lengthen it"))
    assert run("agents", "register", "desk.yaml").err == "desk.yaml:1:1: id: it is too short (lengthen it)\n"
