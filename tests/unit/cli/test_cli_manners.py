"""What all commands have in common: they ask before they destroy, complete ids, fit a terminal, name a fault once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stepward.cli import options
from stepward.cli.checkout import find_laptop, log_folder
from stepward.cli.main import app
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, ok, problem

Stage = Callable[..., FakeApi]
AT = "2026-11-05T10:00:00.000Z"
DESTROYING = [
    ("agents", "end", "desk"),
    ("triggers", "rm", "inbox"),
    ("workflows", "rm", "billing-flow", "1.0.0"),
    ("budgets", "rm", "day"),
]


@pytest.mark.parametrize("command", DESTROYING)
@pytest.mark.parametrize(("answer", "said"), [("n\n", "Nothing was done"), ("", "Not confirmed")])
def test_what_destroys_asks_and_does_nothing_without_a_yes(
    run: Run,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    answer: str,
    said: str,
) -> None:
    api = stage(ok({}))
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    seen = run(*command)
    assert (seen.code, said in seen.err, "--yes" in seen.err, api.requests) == (2, True, True, [])


def test_a_yes_does_it_and_the_question_is_not_in_the_json(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = stage(ok({}))
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run("triggers", "rm", "inbox", "--json").json == {"id": "inbox", "removed": True}
    assert api.targets == ["DELETE /triggers/inbox"]


def test_a_fault_is_named_once(run: Run, stage: Stage) -> None:
    fault = {"field": "input", "detail": "it is empty", "fix": "give it words"}
    stage(
        problem(
            400, "InvalidRequest", "input: it is empty", errors=[fault], field="input", fix="give it words"
        )
    )
    assert run("run", "desk", "--input", "{}").err.count("it is empty") == 1


def test_a_narrowed_list_that_is_empty_does_not_speak_of_a_first_agent(run: Run, stage: Stage) -> None:
    stage(ok({"agents": [], "next_cursor": None}))
    seen = run("agents", "ls", "--tag", "nothing-has-it")
    assert "No such agents" in seen.out
    assert "register" not in seen.out


def test_ids_are_completed_and_a_silent_stage_completes_nothing(stage: Stage) -> None:
    stage(ok({"runs": [a_run(id="run_01"), a_run(id="run_11")], "next_cursor": None}))
    assert options.complete_runs("run_0") == [("run_01", "COMPLETED")]
    stage(ok({"agents": [{"id": "desk", "name": "Desk"}, {"id": "other"}], "next_cursor": None}))
    assert options.complete_agents("") == [("desk", "Desk"), ("other", "")]
    stage(problem(401, "NotAuthenticated", "no key"))
    assert (
        options.complete_workflows("")
        == options.complete_triggers("")
        == options.complete_approvals("")
        == []
    )


def test_every_id_of_a_command_is_completed() -> None:
    bare = [
        f"{' '.join(path)} {argument.name}"
        for path, command in _commands(get_command(app), ())
        for argument in command.params
        if argument.name in ("agent", "agent_id", "run_id", "workflow_id", "trigger_id")
        and argument.param_type_name == "argument"
        and argument._custom_shell_complete is None
    ]
    assert bare == []


def _commands(group: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if not hasattr(group, "commands"):
        return [(path, group)]
    return [found for name, one in group.commands.items() for found in _commands(one, (*path, name))]


LISTS: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    (
        ("agents", "ls"),
        {"agents": [{"id": "a" * 40, "version": "1.0.0", "model": "claude-opus-5", "name": "N " * 30, "created_at": AT}]},
        "a" * 40,
    ),
    (
        ("data", "ls"),
        {"files": [{"key": "datasets/" + "k" * 50, "size_bytes": 4_000_000, "version": "v", "changed_at": AT}]},
        "datasets/" + "k" * 50,
    ),
    (
        ("workflows", "ls"),
        {"workflows": [{"id": "w" * 40, "version": "1.0.0", "name": "N " * 30, "tasks": 12, "created_at": AT}]},
        "w" * 40,
    ),
    (
        ("prices",),
        {"prices": [{"model": "claude-sonnet-5-5", "input_usd_per_mtok": 2, "output_usd_per_mtok": 10,
                     "cache_read_usd_per_mtok": 0.1, "cache_write_usd_per_mtok": 2.5, "as_of": "2026-11-01",
                     "source": "the vendors' price pages"}]},
        "claude-sonnet-5-5",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("command", "answer", "whole"), LISTS)
def test_tables_fit_eighty_columns_and_never_break_an_id(
    run: Run,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    answer: dict[str, Any],
    whole: str,
) -> None:
    stage(ok({**answer, "next_cursor": None}))
    monkeypatch.setenv("COLUMNS", "80")
    lines = run(*command).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith(whole) for line in lines)


def test_the_laptop_of_another_state_folder_is_found_by_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWARD_STATE_DIR", str(tmp_path / "elsewhere"))
    seen = run("agents", "ls")
    assert (seen.code, "--state-dir" in seen.err) == (2, True)
    (tmp_path / "elsewhere").mkdir()
    said = {"url": "http://127.0.0.1:1", "api_key": "sw_test", "pid": 0}
    (tmp_path / "elsewhere" / "laptop.json").write_text(json.dumps(said), encoding="utf-8")
    laptop = find_laptop()
    assert laptop is not None
    assert (laptop.url, log_folder()) == ("http://127.0.0.1:1", tmp_path / "elsewhere" / "logs")


def test_workflows_answer_to_their_first_name_too(run: Run, stage: Stage) -> None:
    stage(ok({"workflows": [], "next_cursor": None}))
    assert run("workflow", "ls").out == run("workflows", "ls").out
    assert "│ workflow " not in run("--help").out
