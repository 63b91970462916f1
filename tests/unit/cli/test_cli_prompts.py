"""`stepward prompts …`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
LABEL: dict[str, Any] = {
    "id": "support", "label": "prod", "version": "1.0.0", "arms": [{"version": "1.0.0", "weight": 1}], "set_at": "now",
    "set_by": "ann", "rev": 4, "can_roll_back": True,
}  # fmt: skip
SHARED = {
    **LABEL,
    "version": None,
    "arms": [{"version": "1.0.0", "weight": 3}, {"version": "1.1.0", "weight": 1}],
}
SUMMARY = {
    "id": "support",
    "version": "1.0.0",
    "description": "Helps.",
    "created_at": "2026-01-01T00:00:00.000Z",
}
KEPT: dict[str, Any] = {
    **SUMMARY,
    "created_by": "ann",
    "prompt": {"id": "support", "template": "Hi."},
    "label": LABEL,
}
RENDERED = {"id": "support", "version": "1.0.0", "label": None, "text": "Hi Ann.", "cached": False}
ARM = {
    "label": "prod",
    "version": "1.0.0",
    "runs": 8,
    "success_rate": 0.875,
    "average_cost_usd_micros": 12,
    "average_active_ms": 1500,
}
ARMS = {
    "id": "support",
    "arms": [{**ARM, "completed": 7, "rehearsed": 0, "cost_usd_micros": 96, "active_ms": 12_000}],
}
DIFF: dict[str, Any] = {
    "id": "support", "from": "1.0.0", "to": "1.1.0", "is_newer": True, "changed": ["template", "variables", "metadata"],
    "template": "--- 1.0.0\n+++ 1.1.0\n-Hi.\n+Ho.", "variables": {"added": ["tone"], "removed": [], "changed": []},
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "answer", "target", "said"),
    [
        (("ls",), {"prompts": [SUMMARY], "next_cursor": None}, "GET /prompts", "Helps."),
        (("ls",), {"prompts": [], "next_cursor": None}, "GET /prompts", "No prompts yet"),
        (("show", "support"), KEPT, "GET /prompts/support", "template: Hi."),
        (("show", "support", "--version", "prod"), KEPT, "GET /prompts/support?version=prod", "prod"),
        (
            ("versions", "support"),
            {"id": "support", "versions": [SUMMARY], "next_cursor": None},
            "GET /prompts/support/versions",
            "1.0.0",
        ),
        (("render", "support"), RENDERED, "POST /prompts/support/render", "Hi Ann."),
        (("diff", "support", "1.0.0"), DIFF, "GET /prompts/support/diff?from=1.0.0", "variable tone: added"),
        (
            ("diff", "support", "1.0.0", "prod"),
            DIFF,
            "GET /prompts/support/diff?from=1.0.0&to=prod",
            "other: metadata",
        ),
        (
            ("diff", "support", "1.0.0"),
            {**DIFF, "changed": []},
            "GET /prompts/support/diff?from=1.0.0",
            "say the same",
        ),
        (
            ("label", "support", "prod", "1.0.0"),
            LABEL,
            "PUT /prompts/support/labels/prod",
            "prod is 1.0.0 of support",
        ),
        (
            ("label", "support", "prod", "1.0.0=3", "1.1.0=1"),
            SHARED,
            "PUT /prompts/support/labels/prod",
            "1.1.0 (25 %)",
        ),
        (("arms", "support"), {"id": "support", "arms": []}, "GET /prompts/support/arms", "No run has ended"),
        (("arms", "support", "--label", "prod"), ARMS, "GET /prompts/support/arms?label=prod", "87.5 %"),
        (("unlabel", "support", "prod"), {}, "DELETE /prompts/support/labels/prod", "no label prod"),
    ],
)
def test_a_command_asks_and_says_what_is(
    run: Run, stage: Stage, command: tuple[str, ...], answer: dict[str, Any], target: str, said: str
) -> None:
    api = stage(ok(answer))
    seen = run("prompts", *command)
    assert seen.code == 0
    assert said in seen.out
    assert api.targets == [target]
    assert run("prompts", *command, "--json").json


def test_labels_are_listed(run: Run, stage: Stage) -> None:
    stage(ok({"id": "support", "labels": [LABEL, SHARED]}))
    out = run("prompts", "labels", "support").out
    assert "1.0.0 (75 %), 1.1.0 (25 %)" in out


def test_a_rollback_is_of_the_revision_that_was_seen(run: Run, stage: Stage) -> None:
    api = stage(
        lambda request: ok(LABEL if request.method == "POST" else {"id": "support", "labels": [LABEL]})
    )
    assert "prod is 1.0.0" in run("prompts", "rollback", "support", "prod").out
    assert api.targets == ["GET /prompts/support/labels", "POST /prompts/support/labels/prod/rollback"]
    assert api.body() == {"rev": 4}


def test_weights_are_sent_as_numbers(run: Run, stage: Stage) -> None:
    api = stage(ok(SHARED))
    run("prompts", "label", "support", "prod", "1.0.0=3", "1.1.0")
    assert api.body() == {"arms": [{"version": "1.0.0", "weight": 3}, {"version": "1.1.0", "weight": 1}]}
    assert run("prompts", "label", "support", "prod", "1.0.0=x", "1.1.0").code == 2


def test_values_are_json_where_they_are_some(run: Run, stage: Stage, tmp_path: Path) -> None:
    api = stage(ok(RENDERED))
    (tmp_path / "values.json").write_text('{"customer": "Bo", "tier": 1}')
    given = (
        "--variables",
        f"@{tmp_path / 'values.json'}",
        "--set",
        "tier=3",
        "--set",
        "note=a=b",
        "--set",
        'text="3"',
    )
    run("prompts", "render", "support", "--version", "prod", "--for", "run-1", *given)
    values = {"customer": "Bo", "tier": 3, "note": "a=b", "text": "3"}
    assert api.body() == {"variables": values, "version": "prod", "key": "run-1"}


@pytest.mark.parametrize("given", [("--set", "customer"), ("--set", "=3"), ("--variables", "text")])
def test_values_that_are_none_are_refused_before_anything_is_sent(
    run: Run, stage: Stage, given: tuple[str, ...]
) -> None:
    api = stage(ok(RENDERED))
    assert run("prompts", "render", "support", *given).code == 2
    assert api.targets == []


def test_a_file_is_registered(run: Run, stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "support.yaml"
    file.write_text("id: support\nversion: 1.0.0\ntemplate: Hi.\n")
    api = stage(ok(KEPT))
    assert "prompt: support@1.0.0" in run("prompts", "register", str(file)).out
    assert api.body() == {"id": "support", "version": "1.0.0", "template": "Hi."}
    assert run("prompts", "register", str(file), "--json").json == KEPT


def test_what_is_refused_is_shown_where_it_stands(run: Run, stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "support.yaml"
    file.write_text("id: support\nversion: 1.0.0\ntemplate: '{{ a }}'\n")
    stage(problem(400, "InvalidRequest", "line 1: no.", field="template", fix="look"))
    seen = run("prompts", "register", str(file))
    assert seen.code != 0
    assert "support.yaml:3" in seen.err
    assert json.loads(run("prompts", "register", str(file), "--json").out)["errors"][0]["line"] == 3
