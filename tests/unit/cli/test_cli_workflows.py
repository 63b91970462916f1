"""`stepward workflow`: every problem at its place, tasks as they come, exit codes that scripts can rely on."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepward.sdk import Stepward
from stepward.sdk.workflows import WorkflowClient
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem
from tests.unit.sdk.workflow_answers import (
    PROBLEMS,
    a_task,
    a_version,
    a_workflow_run,
    refusal,
    still_running,
)

Stage = Callable[..., FakeApi]
SPELLED = [
    "billing.yaml:9:13: exact: there is no task 'totl' (did you mean 'total'?)",
    "billing.yaml: the loop has no bound (give max_iterations)",
]


@pytest.fixture
def file(bare_folder: Path) -> str:
    (bare_folder / "billing.yaml").write_text("id: billing-flow\ntasks: []\n")
    return "billing.yaml"


def test_a_file_is_registered(run: Run, stage: Stage, file: str) -> None:
    api = stage(ok(a_version(), 201))
    seen = run("workflow", "register", file)
    assert (seen.code, seen.out) == (0, "billing-flow 1.0.0 is READY (3 states).\n")
    assert api.requests[0].content == b"id: billing-flow\ntasks: []\n"
    assert run("workflow", "register", file, "--json").json == a_version()


def test_the_schema_is_printed_for_editors(run: Run, stage: Stage) -> None:
    api = stage(ok({"title": "Stepward workflow"}))
    assert run("workflow", "schema").json == {"title": "Stepward workflow"}
    assert api.targets == ["GET /workflows/schema"]


def test_a_document_may_come_through_a_pipe(run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"id": "billing-flow"}'))
    api = stage(ok(a_version(), 201))
    assert run("workflow", "register", "-").code == 0
    assert api.requests[0].content == b'{"id": "billing-flow"}'


def test_a_machine_that_cannot_be_made_is_told_and_exits_1(run: Run, stage: Stage, file: str) -> None:
    stage(ok(a_version(status="REFUSED", detail="the account has no room")))
    seen = run("workflow", "register", file)
    assert seen.code == 1
    assert "REFUSED" in seen.out
    assert "the account has no room" in seen.out


@pytest.mark.parametrize("command", ["register", "run"])
def test_a_refused_file_is_told_line_by_line_and_exits_3(
    run: Run, stage: Stage, file: str, command: str
) -> None:
    stage(refusal())
    seen = run("workflow", command, file)
    assert (seen.code, seen.out, seen.err.splitlines()) == (3, "", SPELLED)
    seen = run("workflow", command, file, "--json")
    assert (seen.code, seen.err, seen.json["errors"]) == (3, "", PROBLEMS)


def test_validate_tells_every_problem_of_every_file_and_exits_1(
    run: Run, stage: Stage, file: str, bare_folder: Path
) -> None:
    (bare_folder / "other.json").write_text("{}")
    api = stage(ok({}), refusal())
    seen = run("workflow", "validate", "other.json", file)
    assert (seen.code, seen.out.splitlines()) == (1, ["other.json: nothing is wrong.", *SPELLED])
    assert api.targets == ["POST /workflows/plan"] * 2
    seen = run("workflow", "validate", file, "--json")
    assert seen.code == 1
    assert seen.json == {"problems": [{"file": file, **one} for one in PROBLEMS]}


def test_validate_exits_0_when_nothing_is_wrong(run: Run, stage: Stage, file: str) -> None:
    stage(ok({}))
    assert run("workflow", "validate", file, "--json").json == {"problems": []}
    assert run("workflow", "validate", file).code == 0


@pytest.mark.parametrize("name", ["none.yaml", "latin.yaml", "."])
def test_a_file_that_cannot_be_read_exits_2(run: Run, stage: Stage, bare_folder: Path, name: str) -> None:
    (bare_folder / "latin.yaml").write_bytes(b"id: \xff\n")
    api = stage(ok({}))
    seen = run("workflow", "validate", name)
    assert (seen.code, api.requests) == (2, [])
    assert name in seen.err


def test_workflows_are_listed(run: Run, stage: Stage) -> None:
    one = {
        "id": "billing-flow",
        "name": "Billing",
        "version": "1.0.0",
        "tasks": 2,
        "status": "READY",
        "created_at": "2026-11-05T10:00:00.000Z",
    }
    young = {
        "id": "other-flow",
        "name": "Other",
        "version": "0.1.0",
        "created_at": "2026-11-05T10:00:00.000Z",
    }
    stage(ok({"workflows": [one, young], "next_cursor": "c"}), ok({"workflows": [], "next_cursor": None}))
    seen = run("workflow", "ls")
    for text in ("billing-flow", "READY", "PUBLISHING", "--cursor c"):
        assert text in seen.out
    assert "stepward workflows register" in run("workflow", "ls").out


def test_one_is_shown_with_its_document(run: Run, stage: Stage) -> None:
    api = stage(ok(a_version(versions=["1.0.0", "0.9.0"])))
    seen = run("workflow", "show", "billing-flow", "--version", "1.0.0")
    for text in ("billing-flow 1.0.0", "1.0.0, 0.9.0", "- id: total", "tool: calculate"):
        assert text in seen.out
    assert api.targets == ["GET /workflows/billing-flow?version=1.0.0"]
    assert run("workflow", "show", "billing-flow", "--json").json["states"] == 3


def test_a_version_is_removed(run: Run, stage: Stage) -> None:
    api = stage(ok({"removed": True}))
    assert "is gone" in run("workflow", "rm", "billing-flow", "1.0.0", "--yes").out
    assert run("workflow", "rm", "billing-flow", "1.0.0", "--yes", "--json").json["removed"] is True
    assert api.targets == ["DELETE /workflows/billing-flow/versions/1.0.0"] * 2


def test_a_person_sees_tasks_as_they_come_then_the_output_and_the_report(
    run: Run, stage: Stage, file: str
) -> None:
    asked = a_task("ask", "RUNNING", type="agent", attempt=1, child="run_02")
    again = a_task("ask", "RUNNING", type="agent", attempt=2, child="run_03")
    failed = a_task(
        "ask", "FAILED", error={"code": "ToolFailed", "detail": "it broke."}, cost_usd_micros=3900
    )
    skipped = a_task("late", "SKIPPED", why="'ask' failed")
    item = a_task("each.draft", at="each[3]", output="a draft")
    errors = [{"task": "ask", "at": "", "code": "ToolFailed", "detail": "it broke."}]
    counts = {"COMPLETED": 1, "FAILED": 1, "SKIPPED": 1}
    report = {
        **a_workflow_run()["report"],
        "counts": counts,
        "errors": errors,
        "fell_back": ["x"],
        "undone": ["pay"],
    }
    ended = a_workflow_run(failed, skipped, item, status="PARTIALLY_COMPLETED", report=report)
    pending = a_task("late", "PENDING")
    stage(
        ok(a_version()),
        ok(still_running(), 202),
        ok(still_running(asked, pending)),
        ok(still_running(again, pending, item)),
        ok(ended),
    )
    seen = run("workflow", "run", file, "--input", '{"price": 20}')
    assert seen.code == 1
    lines = [line.rstrip() for line in seen.out.splitlines()]
    assert lines == [
        "run_01  billing-flow 1.0.0",
        "  → ask  agent  run_02",
        "  → ask  agent  attempt 2  run_03",
        "  ← each.draft@each[3]  COMPLETED  1.2 s  a draft",
        "  ← ask  FAILED  1.2 s  $0.003900  ToolFailed: it broke.",
        "  ← late  SKIPPED  1.2 s  'ask' failed",
        "",
        "{",
        '  "total": "119"',
        "}",
        "  ask: ToolFailed: it broke.",
        "  stood in for: x",
        "  undone: pay",
        "PARTIALLY_COMPLETED  1 completed · 1 failed · 1 skipped · $0.003900 + $0.000180 AWS · 2.0 s",
    ]


def test_the_failure_that_ended_a_run_is_told_once(run: Run, stage: Stage) -> None:
    error = {"code": "ToolFailed", "detail": "ask: it broke."}
    errors = [{"task": "ask", "at": "", "code": "ToolFailed", "detail": "it broke."}]
    report = {**a_workflow_run()["report"], "errors": errors}
    stage(ok(a_workflow_run(status="FAILED", output=None, error=error, report=report)))
    assert run("workflow", "show-run", "run_01").out.count("it broke.") == 1


def test_a_script_gets_the_run_and_nothing_else(run: Run, stage: Stage) -> None:
    api = stage(ok(still_running(), 202), ok(still_running()), ok(a_workflow_run()))
    seen = run("workflow", "run", "billing-flow", "--version", "1.0.0", "--json", "-i", "text")
    assert (seen.code, seen.err, seen.json) == (0, "", a_workflow_run())
    assert api.targets[0] == "POST /workflows/billing-flow/runs"
    assert api.body(0) == {"input": "text", "version": "1.0.0"}


def test_a_file_runs_in_the_version_that_it_says(run: Run, stage: Stage, file: str) -> None:
    api = stage(ok(a_version(version="2.0.0")), ok(still_running(), 202))
    seen = run("workflow", "run", file, "--no-wait", "--idempotency-key", "mine")
    assert "stepward workflows tail run_01" in seen.out
    assert api.body(1) == {"input": {}, "version": "2.0.0"}
    assert api.requests[1].headers["idempotency-key"] == "mine"


def test_ctrl_c_leaves_the_run_and_says_how_to_stop_it(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    stage(ok(still_running(), 202))
    monkeypatch.setattr(WorkflowClient, "watch", interrupted)
    seen = run("workflow", "run", "billing-flow")
    assert seen.code == 130
    assert "stepward workflows cancel run_01" in seen.err


def test_runs_are_listed_and_one_is_shown_by_either_command(run: Run, stage: Stage) -> None:
    stage(ok({"runs": [a_workflow_run()], "next_cursor": None}), ok({"runs": [], "next_cursor": None}))
    seen = run("workflow", "runs", "billing-flow")
    assert "run_01" in seen.out
    assert "workflow billing-flow 1.0.0" in seen.out
    assert "stepward workflows run billing-flow" in run("workflow", "runs", "billing-flow").out
    item = a_task("each.draft", at="each[3]", output_bytes=200_000, type="tool")
    stage(ok(a_workflow_run(item, a_task("late", "PENDING"), rerun_of="run_00")))
    for command in (("workflow", "show-run"), ("runs", "show")):
        seen = run(*command, "run_01")
        for text in (
            "each.draft@each[3]",
            "200,000 bytes",
            "PENDING",
            "run_00",
            '"total": "119"',
            "$0.003900",
        ):
            assert text in seen.out
    assert run("workflow", "show-run", "run_01", "--json").json["rerun_of"] == "run_00"


def test_a_run_is_followed_task_by_task_by_either_command(run: Run, stage: Stage) -> None:
    looks = [
        ok(still_running(a_task("total", "RUNNING"))),
        ok(still_running(a_task("total", "RUNNING"))),
        ok(a_workflow_run(a_task("total"))),
    ]
    stage(*looks)
    seen = run("workflow", "tail", "run_01")
    assert (seen.code, seen.out.count("→ total"), seen.out.count("← total")) == (0, 1, 1)
    assert "COMPLETED" in seen.out.splitlines()[-1]
    stage(looks[0], *looks)
    lines = [json.loads(line) for line in run("runs", "tail", "run_01", "--json").out.splitlines()]
    assert [line.get("task", line["status"]) for line in lines] == ["total", "total", "COMPLETED"]
    assert "tasks" not in lines[-1]


def test_a_run_is_stopped_and_run_again(run: Run, stage: Stage) -> None:
    api = stage(ok(a_workflow_run(status="CANCELLED"), 202))
    assert "CANCELLED" in run("workflow", "cancel", "run_01").out
    assert run("workflow", "cancel", "run_01", "--json").json["status"] == "CANCELLED"
    assert api.targets == ["POST /runs/run_01/cancel"] * 2
    api = stage(ok(still_running(id="run_02", rerun_of="run_01"), 202), ok(a_workflow_run(id="run_02")))
    seen = run("workflow", "rerun", "run_01")
    assert (seen.code, "COMPLETED" in seen.out) == (0, True)
    assert api.targets == ["POST /runs/run_01/rerun", "GET /runs/run_02"]


def test_control_characters_of_a_task_never_reach_the_terminal(run: Run, stage: Stage) -> None:
    evil: Any = a_task("total", output="\x1b[2Jhidden\x07 [bold]markup[/bold]")
    stage(ok(still_running(), 202), ok(a_workflow_run(evil, output="\x1b[2J")))
    seen = run("workflow", "run", "billing-flow")
    assert not any(c in seen.out for c in "\x1b\x07")
    assert "[bold]markup[/bold]" in seen.out


def test_an_unknown_workflow_exits_3_with_its_fix(run: Run, stage: Stage) -> None:
    stage(
        problem(404, "NotFound", "there is no workflow 'x'.", fix="GET /workflows lists those that are there")
    )
    seen = run("workflow", "show", "x")
    assert (seen.code, "`stepward workflows ls` lists" in seen.err) == (3, True)


def test_the_client_that_commands_open_has_workflows() -> None:
    assert isinstance(Stepward("http://127.0.0.1:8400", "sw_x").workflows, WorkflowClient)
