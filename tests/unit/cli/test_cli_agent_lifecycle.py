"""`stepward agents …`: labels, steps, ends, and a folder of files at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
STATUS: dict[str, Any] = {
    "id": "desk", "uid": "AGENT-20260101-000000-0001-A1B2", "state": "READY", "view": "READY", "version": "1.0.0",
    "created_at": "now", "refusal": None, "agent": {"id": "desk"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "target", "said"),
    [
        (("label", "desk", "prod", "1.0.0"), "PUT /agents/desk/labels/prod", "prod is 1.0.0 of desk"),
        (("unlabel", "desk", "prod"), "DELETE /agents/desk/labels/prod", "no label prod"),
        (("move", "desk", "READY"), "POST /agents/desk/transitions", "desk is READY"),
        (("end", "desk", "--yes"), "DELETE /agents/desk", "desk is READY"),
    ],
)
def test_a_command_asks_and_says_what_is(
    run: Run, stage: Stage, command: tuple[str, ...], target: str, said: str
) -> None:
    api = stage(ok(STATUS))
    seen = run("agents", *command)
    assert (seen.code, said in seen.out) == (0, True)
    assert api.targets == [target]
    assert run("agents", *command, "--json").json


def test_labels_are_listed(run: Run, stage: Stage) -> None:
    found = {"id": "desk", "labels": [{"label": "prod", "version": "1.0.0", "set_at": "now"}]}
    stage(ok(found))
    assert "prod" in run("agents", "labels", "desk").out
    assert run("agents", "labels", "desk", "--json").json == found


def test_lists_are_narrowed(run: Run, stage: Stage) -> None:
    api = stage(ok({"agents": [], "next_cursor": None}))
    run("agents", "ls", "--capability", "API_INTEGRATION", "--tag", "eu", "--state", "VALIDATING")
    assert api.targets == ["GET /agents?capability=API_INTEGRATION&tag=eu&state=VALIDATING"]
    assert run("agents", "ls", "--state", "SLEEPING").code == 2


def test_an_agent_without_a_version_shows_why(run: Run, stage: Stage) -> None:
    why = {
        "version": "1.0.0",
        "to": "VALIDATED",
        "detail": "there is no agent 'x'.",
        "field": "dependencies.0",
    }
    stage(ok({**STATUS, "view": "VALIDATING", "version": None, "agent": None, "refusal": why}))
    seen = run("agents", "show", "desk")
    assert "VALIDATING" in seen.out
    assert "1.0.0 was refused (dependencies.0): there is no agent 'x'." in seen.out


def a_folder(folder: Path, **agents: dict[str, Any]) -> Path:
    folder.mkdir()
    for name, more in agents.items():
        body = json.dumps({"id": name, "version": "1.0.0", **more})
        (folder / f"{name}.json").write_text(body, encoding="utf-8")
    return folder


def test_a_folder_is_registered_with_those_first_that_others_name(
    run: Run, stage: Stage, bare_folder: Path
) -> None:
    api = stage(ok({"id": "x", "version": "1.0.0"}, 201))
    a_folder(
        bare_folder / "all",
        aa={"team": [{"agent": "bb"}], "tools": [{"handoff": "dd"}]},
        bb={"dependencies": ["cc"]},
        cc={"tools": [{"tool": "agent", "config": {"agent": "zz"}}]},
        dd={"tools": [{"handoff": "aa"}]},
    )
    (bare_folder / "all" / "notes.txt").write_text("no agent", encoding="utf-8")
    seen = run("agents", "import", "all", "--json")
    assert seen.code == 0
    order = [api.body(index)["id"] for index in range(4)]
    assert order.index("cc") < order.index("bb")
    assert set(order) == {"aa", "bb", "cc", "dd"}
    assert len(seen.json["registered"]) == 4


def test_a_refused_file_does_not_stop_the_others(run: Run, stage: Stage, bare_folder: Path) -> None:
    a_folder(bare_folder / "all", aa={}, bb={})
    stage(problem(400, "InvalidRequest", "no such tool.", field="tools.0.tool", fix="mend"), ok(STATUS, 201))
    seen = run("agents", "import", "all")
    assert seen.code == 1
    assert "aa.json:1:1: tools.0.tool: no such tool. (mend)" in seen.out.replace("all/", "")
    assert "1 registered, 1 refused." in seen.out


@pytest.mark.parametrize(("folder", "said"), [("nowhere", "is not a folder"), (".", "holds no .yaml")])
def test_a_folder_that_is_none(run: Run, stage: Stage, folder: str, said: str) -> None:
    stage(ok({}))
    seen = run("agents", "import", folder)
    assert (seen.code, said in seen.err) == (2, True)


def test_a_broken_file_stops_before_anything_is_sent(run: Run, stage: Stage, bare_folder: Path) -> None:
    api = stage(ok({}))
    (a_folder(bare_folder / "all", aa={}) / "bb.yaml").write_text("id: [", encoding="utf-8")
    assert run("agents", "import", "all").code == 2
    assert api.requests == []
