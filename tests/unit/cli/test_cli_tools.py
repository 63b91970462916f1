"""`stepward tools`: what agents may use, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
TOOL: dict[str, Any] = {
    "name": "order_tools.count_words",
    "description": "Counts the words.\n\nOf a text.",
    "effect": "none",
    "timeout_s": 5,
    "source": "functions/order_tools",
}


def test_tools_are_listed(run: Run, stage: Stage) -> None:
    api = stage(ok({"tools": [TOOL]}), ok({"tools": [TOOL]}))
    seen = run("tools", "ls")
    assert "order_tools.count_words" in seen.out
    assert "Of a text." not in seen.out
    assert run("tools", "ls", "--json").json == [TOOL]
    assert api.targets == ["GET /tools", "GET /tools"]


def test_one_is_shown_with_its_schemas(run: Run, stage: Stage) -> None:
    full = {**TOOL, "parameters": {"type": "object", "required": ["text"]}}
    api = stage(ok(full), ok(full))
    assert '"required"' in run("tools", "show", TOOL["name"]).out
    assert run("tools", "show", TOOL["name"], "--json").json == full
    assert api.targets[0] == "GET /tools/order_tools.count_words"


def test_one_that_is_not_there_is_told_with_the_fix(run: Run, stage: Stage) -> None:
    stage(problem(404, "NotFound", "there is no tool 'x'.", field="tool", fix="did you mean 'y'?"))
    seen = run("tools", "show", "x")
    assert seen.code != 0
    assert "did you mean 'y'?" in seen.err
