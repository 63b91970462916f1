"""`stepward triggers`: files become triggers, secrets are shown once, trials tell why nothing would start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
TRIGGER: dict[str, Any] = {
    "id": "inbox",
    "kind": "s3",
    "agent": "helper",
    "description": "",
    "input": "{% $event %}",
    "enabled": True,
    "s3": {"prefix": "inbox/"},
    "created_at": "2026-11-05T10:00:00.000Z",
    "created_by": "ci",
    "changed_at": "2026-11-05T10:00:00.000Z",
    "revision": 1,
}
QUIET = {"objects": 0, "events": 0, "last_at": None, "last": None}
ERROR = {"code": "NotFound", "detail": "there is no agent 'helper'.", "at": "2026-11-05T11:00:00.000Z"}
STATE = {
    "started": 3,
    "duplicate": 1,
    "failed": 1,
    "last_fired_at": "2026-11-05T11:00:00.000Z",
    "last_event": "e",
    "last_run": "run_01",
    "last_error": ERROR,
}


def test_triggers_are_listed_with_what_fitted_none(run: Run, stage: Stage) -> None:
    noisy = {"objects": 2, "events": 1, "last_at": "now", "last": "outbox/x"}
    api = stage(ok({"triggers": [TRIGGER], "next_cursor": None, "unmatched_today": noisy}))
    seen = run("triggers", "ls", "--limit", "5")
    assert "inbox" in seen.out
    assert "3 came today and matched no trigger; the last: outbox/x" in seen.out
    assert api.targets == ["GET /triggers?limit=5"]


def test_a_workflow_is_told_from_an_agent_of_the_same_id(run: Run, stage: Stage) -> None:
    flow = {**{name: value for name, value in TRIGGER.items() if name != "agent"}, "workflow": "helper"}
    start = {"workflow": "helper", "version": "1.0.0", "input": {}, "principal": "trigger.inbox"}
    stage(
        ok({"triggers": [flow], "next_cursor": None, "unmatched_today": QUIET}),
        ok({"starts": True, "fits": True, "enabled": True, "would_start": start, "error": None}),
    )
    assert "workflow helper" in run("triggers", "ls").out
    assert "workflow helper 1.0.0" in run("triggers", "try", "inbox", "--event", "{}").out


def test_an_empty_list_says_what_to_do_next(run: Run, stage: Stage) -> None:
    stage(ok({"triggers": [], "next_cursor": None, "unmatched_today": QUIET}))
    assert "stepward triggers add" in run("triggers", "ls").out


def test_one_is_shown_with_what_it_did(run: Run, stage: Stage) -> None:
    stage(ok({**TRIGGER, "state": STATE, "next": ["2026-11-06T00:00:00.000Z"]}))
    seen = run("triggers", "show", "inbox")
    for text in ("3 started, 1 repeated, 1 failed", "run_01", "NotFound: there is no agent", "2026-11-06"):
        assert text in seen.out
    assert run("triggers", "show", "inbox", "--json").json["state"] == STATE


def test_a_file_becomes_a_trigger(run: Run, stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "hook.yaml").write_text("id: hook\nkind: webhook\nagent: helper\n")
    api = stage(ok({**TRIGGER, "id": "hook", "path": "/hooks/acme/hook", "secret": "whsec_x"}, status=201))
    seen = run("triggers", "add", "hook.yaml")
    assert "whsec_x" in seen.out
    assert "not shown again" in seen.out
    assert api.body() == {"id": "hook", "kind": "webhook", "agent": "helper"}
    assert run("triggers", "add", "hook.yaml", "--replace").code == 0
    assert api.targets == ["POST /triggers", "PUT /triggers/hook"]


def test_a_trial_tells_what_would_start_or_why_not(run: Run, stage: Stage) -> None:
    start = {"agent": "helper", "version": "1.0.0", "input": {"file": "a"}, "principal": "trigger.inbox"}
    good = {"starts": True, "fits": True, "enabled": True, "would_start": start, "error": None}
    error = {**ERROR, "fix": "register it"}
    api = stage(
        ok(good),
        ok({**good, "starts": False, "fits": False}),
        ok({**good, "starts": False, "would_start": None, "error": error}),
    )
    seen = [run("triggers", "try", "inbox", "--event", '{"key": "a"}') for _ in range(3)]
    assert [one.code for one in seen] == [0, 1, 1]
    assert "helper 1.0.0" in seen[0].out
    assert "does not fit" in seen[1].out
    assert "register it" in seen[2].out
    assert api.body() == {"event": {"key": "a"}}
    assert run("triggers", "try", "inbox", "--event", "text").code == 2


def test_a_secret_is_changed_and_a_trigger_removed(run: Run, stage: Stage) -> None:
    api = stage(ok({"id": "hook", "secret": "whsec_y"}))
    assert "whsec_y" in run("triggers", "rotate", "hook", "--overlap", "0").out
    assert api.body() == {"overlap_s": 0}
    assert run("triggers", "rm", "hook", "--yes", "--json").json == {"id": "hook", "removed": True}
    assert api.targets == ["POST /triggers/hook/secret", "DELETE /triggers/hook"]


def test_a_refusal_is_told_with_its_fix(run: Run, stage: Stage) -> None:
    stage(problem(404, "NotFound", "there is no trigger 'x'.", fix="GET /triggers lists those that exist"))
    seen = run("triggers", "rm", "x", "-y")
    assert (seen.code, "`stepward triggers ls` lists" in seen.err) == (3, True)
