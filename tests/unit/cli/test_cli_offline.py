"""Where no server is known, files are checked, planned and drawn all the same; what only a server knows is a warning."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

WELL = """
id: demo
name: Demo
version: 1.0.0
tasks:
  - {id: a, agent: writer, with: {input: "{% $input.x %}"}}
  - {id: b, tool: my_tools.count, needs: [a], with: {n: 1}, retry: 2}
  - {id: c, type: subworkflow, workflow: other, needs: [a]}
  - {id: d, type: transform, output: 1}
"""


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepward.cli.connection.find_laptop", lambda: None)


def test_what_is_wrong_is_told_with_its_place(run: Run) -> None:
    Path("bad.yaml").write_text(WELL + '  - {id: e, output: "{% $tasks.nope %}", colour: red}\n')
    seen = run("workflow", "validate", "bad.yaml")
    assert seen.code == 1
    assert "bad.yaml:10:" in seen.out
    assert "there is no task 'nope'" in seen.out
    assert "colour" in seen.out


def test_names_that_a_server_would_look_up_are_warnings(run: Run) -> None:
    Path("well.yaml").write_text(WELL)
    seen = run("workflow", "validate", "well.yaml")
    assert (seen.code, seen.out.count("[warning]")) == (0, 3)
    told = run("workflow", "validate", "well.yaml", "--json").json
    assert told["problems"] == []
    assert [(one["code"], one["task"], one["file"], one["line"]) for one in told["warnings"]] == [
        ("unchecked-agent", "a", "well.yaml", 6),
        ("unchecked-tool", "b", "well.yaml", 7),
        ("unchecked-workflow", "c", "well.yaml", 8),
    ]


def test_plans_pictures_machines_types_and_the_schema_need_no_server(run: Run) -> None:
    Path("well.yaml").write_text(WELL)
    assert run("workflow", "plan", "well.yaml", "--json").json["plan"]["workflow"] == "demo"
    assert "no-deadlock holds" in run("workflow", "plan", "well.yaml").out
    assert "flowchart" in run("workflow", "graph", "well.yaml").out
    assert "<svg" in run("workflow", "graph", "well.yaml", "--as", "svg").out
    assert "settle run" in run("workflow", "compile", "well.yaml").json["States"]
    assert "foreach" in run("workflow", "types").out
    assert run("workflow", "schema").json["$defs"]["task"]


def test_a_refused_file_is_told_by_every_command(run: Run) -> None:
    Path("bad.yaml").write_text("id: demo\n")
    for command in ("plan", "graph", "compile"):
        seen = run("workflow", command, "bad.yaml")
        assert (seen.code, "bad.yaml:1:1" in seen.err) == (3, True)


def test_what_is_registered_needs_a_server(run: Run) -> None:
    for command in ("plan", "graph", "compile"):
        seen = run("workflow", command, "billing-flow")
        assert seen.code == 2
        assert "only a server knows" in seen.err


def test_a_missing_extra_is_named_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("well.yaml").write_text(WELL)
    monkeypatch.delitem(sys.modules, "stepward.cli.offline", raising=False)
    monkeypatch.setitem(sys.modules, "jsonata", None)
    seen = run("workflow", "validate", "well.yaml")
    assert seen.code == 2
    assert "needs the extra `platform`: jsonata is missing" in seen.err.replace("\n", " ")
    assert "Traceback" not in seen.err
