"""`stepward workflows plan`, `graph`, `compile`, `diff`: what people read of an answer, and what is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok
from tests.unit.sdk.workflow_answers import refusal

Stage = Callable[..., FakeApi]
PLAN: dict[str, Any] = {
    "plan": {"workflow": "billing-flow", "version": "1.0.0", "tasks": 2},
    "proofs": [
        {
            "name": "bounded",
            "holds": True,
            "is_required": True,
            "counter_example": [],
            "words": "all is bounded",
        },
        {
            "name": "once-approved",
            "holds": False,
            "is_required": False,
            "counter_example": ["pay"],
            "words": "pay runs unasked",
        },
    ],
    "table": {
        "summary": [["tasks", "2 with 1 needs"], ["in all", "$0.0001 or more"], ["note", "by list prices"]],
        "tasks": [["task", "type"], ["total *", "transform"], ["exact *", "tool"]],
    },
}
STATES = {"least": 3, "expected": 3, "most": 3}
NOTHING: dict[str, list[str]] = {"agents": [], "tools": [], "events": []}
DIFF: dict[str, Any] = {
    "workflow": "billing-flow",
    "before": "1.0.0",
    "after": "1.1.0",
    "same": False,
    "fields": [{"field": "timeout_s", "before": None, "after": 60}],
    "tasks_added": ["told"],
    "tasks_removed": ["old"],
    "tasks_changed": [
        {"task": "total", "fields": [{"field": "when", "before": None, "after": "{% $input.x %}"}]}
    ],
    "edges_added": [{"before": "total", "after": "told", "why": "then"}],
    "edges_removed": [{"before": "total", "after": "old", "why": "needs"}],
    "plan": [
        {"field": "levels", "before": [["a"]], "after": [["b"]]},
        {"field": "critical_path", "before": ["a", "b"], "after": ["a"]},
        {"field": "makespan_ms", "before": 200, "after": 10_100},
        {"field": "states", "before": STATES, "after": {**STATES, "most": 1_200}},
        {
            "field": "cost",
            "before": {"least_usd_micros": 84, "expected_usd_micros": 84, "most_usd_micros": 84},
            "after": {"least_usd_micros": 84, "expected_usd_micros": None, "most_usd_micros": None},
        },
        {"field": "width", "before": None, "after": 2},
    ],
    "permissions": {"added": {**NOTHING, "events": ["told"]}, "removed": {**NOTHING, "tools": ["calculate"]}},
}


@pytest.fixture
def file(bare_folder: Path) -> str:
    (bare_folder / "billing.yaml").write_text("id: billing-flow\n")
    return "billing.yaml"


def test_a_plan_is_a_table_a_summary_and_what_is_proved(run: Run, stage: Stage, file: str) -> None:
    api = stage(ok(PLAN))
    seen = run("workflow", "plan", file)
    assert seen.code == 0
    for text in (
        *("total *", "tasks   2 with 1 needs", "in all  $0.0001 or more", "bounded holds: all is bounded"),
        *("once-approved does not hold: pay runs unasked", "Note: by list prices."),
    ):
        assert text in seen.out
    assert run("workflow", "plan", "billing-flow", "--version", "1.0.0", "--json").json == PLAN
    assert api.targets == ["POST /workflows/plan", "GET /workflows/billing-flow/plan?version=1.0.0"]


def test_pictures_and_machines_are_written_as_they_come(
    run: Run, stage: Stage, file: str, bare_folder: Path
) -> None:
    api = stage(httpx2.Response(200, text="flowchart TD\n"))
    assert run("workflow", "graph", file).out == "flowchart TD\n"
    assert (
        "pic.svg is written" in run("workflow", "graph", "billing-flow", "--as", "svg", "-o", "pic.svg").out
    )
    assert (bare_folder / "pic.svg").read_text() == "flowchart TD\n"
    assert run("workflow", "graph", file, "--json").json == {"form": "mermaid", "text": "flowchart TD\n"}
    assert run("workflow", "compile", file).out == "flowchart TD\n"
    assert run("workflow", "compile", "billing-flow", "--version", "1.0.0", "--out", ".").code == 2
    assert api.targets == [
        "POST /workflows/plan?as=mermaid",
        "GET /workflows/billing-flow/plan?as=svg",
        "POST /workflows/plan?as=mermaid",
        "POST /workflows/plan?as=asl",
        "GET /workflows/billing-flow/plan?version=1.0.0&as=asl",
    ]


@pytest.mark.parametrize("command", ["plan", "graph", "compile", "diff"])
def test_a_file_with_problems_is_told_line_by_line(run: Run, stage: Stage, file: str, command: str) -> None:
    stage(refusal())
    seen = run("workflow", command, file)
    assert (seen.code, seen.out) == (3, "")
    assert seen.err.startswith("billing.yaml:9:13: exact: there is no task 'totl'")


def test_two_versions_are_told_apart(run: Run, stage: Stage) -> None:
    api = stage(ok(DIFF))
    seen = run("workflow", "diff", "billing-flow", "--from", "1.0.0", "--to", "1.1.0")
    assert seen.out.splitlines() == [
        *("billing-flow 1.0.0 → 1.1.0", "", "workflow", "  ~ timeout_s: nothing → 60", "", "tasks"),
        *("  - old", "  + told", "  ~ total", "      when: nothing → {% $input.x %}", "", "order"),
        *("  - total → old", "  + total → told  (then)", "", "plan", "  ~ critical_path: a, b → a"),
        *("  ~ makespan: 0.2 s → 10.1 s", "  ~ states: 3 → 3 to 1,200"),
        *("  ~ cost: $0.000084 → $0.000084 or more", "  ~ width: nothing → 2", "", "reach"),
        *("  - tools: calculate", "  + events: told"),
    ]
    assert run("workflow", "diff", "billing-flow", "--from", "1.0.0", "--json").json == DIFF
    assert api.targets == [
        "GET /workflows/billing-flow/diff?from=1.0.0&to=1.1.0",
        "GET /workflows/billing-flow/diff?from=1.0.0",
    ]


def test_a_file_is_compared_with_the_newest_version(run: Run, stage: Stage, file: str) -> None:
    api = stage(ok(PLAN), ok({**DIFF, "same": True}))
    assert "Both do the same." in run("workflow", "diff", file).out
    assert api.targets == ["POST /workflows/plan", "POST /workflows/billing-flow/diff"]
    assert run("workflow", "diff", file, "--from", "1.0.0").code == 2
    assert "--from 1.0.0" in run("workflow", "diff", "billing-flow").err
