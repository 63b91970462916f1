"""What errors say in requests is shown in commands, and each of those commands is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

import stepward
from stepward.cli.commands_for_routes import in_commands
from stepward.cli.main import app
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, ok, problem

Stage = Callable[..., FakeApi]
PRODUCT = Path(stepward.__file__).parent
SPEAKING = ("adapters", "agents", "domain", "models", "ports", "tasks", "tools", "triggers", "workflow")
A_REQUEST = re.compile(r"(?:GET|PUT|POST|DELETE) /[a-z]")


def _texts(tree: ast.Module) -> Iterator[str]:
    """Every text of a module that is no docstring, with a name in place of what is put into it."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "agent" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | parts:
            yield node.value


def spoken() -> list[str]:
    files = [file for folder in SPEAKING for file in (PRODUCT / folder).rglob("*.py")]
    texts = [text for file in files for text in _texts(ast.parse(file.read_text(encoding="utf-8")))]
    return sorted({text for text in texts if A_REQUEST.search(text)})


def commands(group: typer.core.TyperGroup, *path: str) -> Iterator[str]:
    for name, one in group.commands.items():
        yield " ".join((*path, name))
        if isinstance(one, typer.core.TyperGroup):
            yield from commands(one, *path, name)


def test_every_request_that_a_text_of_the_product_names_has_a_command() -> None:
    texts, known = spoken(), set(commands(typer.main.get_command(app)))  # type: ignore[arg-type]
    assert len(texts) > 25
    for text in texts:
        said = in_commands(text)
        assert not A_REQUEST.search(said), said
        for command in re.findall(r"`stepward ([^`]+)`", said):
            words = command.split()
            assert words[0] in known, said
            assert len(words) == 1 or " ".join(words[:2]) in known or words[0] in ("run", "models"), said


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("GET /agents/clerk/labels lists them", "`stepward agents labels clerk` lists them"),
        ("start one: POST /agents/clerk/runs.", "start one: `stepward run clerk`."),
        ("by `POST /agents/{agent_id}/runs`", "by `stepward run AGENT`"),
        ("POST /runs/run_1/resume lets it go on", "`stepward runs resume run_1` lets it go on"),
        ("PUT /prices/ours/llama-4.1 adds it", "`stepward prices set ours/llama-4.1` adds it"),
        ('start the run with `"rehearse": false`', "start the run with `--no-rehearse`"),
        ("write GET /elsewhere in the file", "write GET /elsewhere in the file"),
        ("GET /agentsx", "GET /agentsx"),
    ],
)
def test_texts(said: str, shown: str) -> None:
    assert in_commands(said) == shown


def test_people_are_shown_commands_and_programs_the_apis_own_words(run: Run, stage: Stage) -> None:
    fix = "GET /agents lists those that exist"
    stage(problem(404, "NotFound", "there is no agent 'x'.", field="agent_id", fix=fix))
    assert "fix: `stepward agents ls` lists those that exist" in run("agents", "show", "x").err
    assert run("agents", "show", "x", "--json").json["fix"] == fix


def test_the_error_of_a_run_names_commands_too(run: Run, stage: Stage) -> None:
    error = {"code": "ModelUnknown", "detail": "unknown. Fix: GET /models lists those that are known."}
    stage(ok(a_run(status="FAILED", output=None, error=error)))
    assert "Fix: `stepward models` lists those" in run("runs", "show", "run_01").out
