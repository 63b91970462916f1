"""`stepward approvals`: what is asked of the API, and how the answer reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, ok, problem

Stage = Callable[..., FakeApi]
ID = "run_00000000000000000000000001.call_1_1"
APPROVAL: dict[str, Any] = {
    "id": ID, "status": "open", "run": "run_00000000000000000000000001", "call": "call_1_1", "tool": "ask_person",
    "agent": "asker", "requester": "shop", "question": "Refund 40 EUR?", "details": {"order": "SO-1"},
    "approvers": ["ann"], "not_requester": True, "created_at": "2026-11-21T10:00:00.000Z",
    "due_at": "2026-11-28T10:00:00.000Z", "requested_at": "2026-11-21T10:00:00.000Z", "reminded_at": None,
    "escalated_at": None, "closed_at": None, "decision": None,
    "form": [
        {"name": "amount", "type": "number", "required": True, "label": "How much"},
        {"name": "reason", "type": "choice", "choices": ["late", "broken"]},
        {"name": "vip", "type": "boolean"}, {"name": "note"},
    ],
}  # fmt: skip
DECISION = {
    "decision": "approve",
    "by": "ann",
    "at": "2026-11-21T11:00:00.000Z",
    "form": {"amount": 40},
    "comment": "ok",
}
APPROVED = {**APPROVAL, "status": "approved", "decision": DECISION}


def test_what_waits_is_listed(run: Run, stage: Stage) -> None:
    api = stage(ok({"approvals": [APPROVAL], "next_cursor": "abc"}))
    seen = run("approvals", "ls", "--limit", "1")
    assert api.targets == ["GET /approvals?status=open&limit=1"]
    assert "Refund 40 EUR?" in seen.out
    assert "--cursor abc" in seen.out
    assert run("approvals", "ls", "--status", "done", "--json").json["approvals"] == [APPROVAL]
    assert api.targets[-1] == "GET /approvals?status=done"


def test_what_a_workflow_asks_is_listed_and_shown_by_its_task(run: Run, stage: Stage) -> None:
    asked = {name: value for name, value in APPROVAL.items() if name != "agent"}
    asked |= {"tool": "human", "workflow": "refund-approval", "task": "approve@each[0]"}
    stage(ok({"approvals": [APPROVAL, asked], "next_cursor": None}), ok(asked))
    listed = run("approvals", "ls")
    assert (listed.code, "refund-approval" in listed.out, "asker" in listed.out) == (0, True, True)
    assert "approve@each[0]" in run("approvals", "show", ID).out


@pytest.mark.parametrize(
    ("status", "said"), [("open", "There are no approvals"), ("done", "Nothing was decided")]
)
def test_an_empty_list_says_so(run: Run, stage: Stage, status: str, said: str) -> None:
    stage(ok({"approvals": [], "next_cursor": None}))
    assert said in run("approvals", "ls", "--status", status).out


def test_one_is_shown_with_what_is_to_be_filled_in(run: Run, stage: Stage) -> None:
    stage(ok(APPROVAL))
    seen = run("approvals", "show", ID).out
    assert "SO-1" in seen
    assert "--field amount=…  number, required  How much" in seen
    assert "late | broken" in seen


def test_a_decision_is_shown(run: Run, stage: Stage) -> None:
    stage(ok(APPROVED))
    seen = run("approvals", "show", ID).out
    assert "approve by ann at 2026-11-21T11:00:00.000Z" in seen
    assert '"amount": 40' in seen


def test_fields_are_sent_as_their_types_say(run: Run, stage: Stage) -> None:
    api = stage(ok(APPROVAL), ok(APPROVED))
    fields = ("amount=40", "vip=true", "note=40", "reason=late", "other=1", "vip=maybe")
    options = [word for field in fields for word in ("--field", field)]
    seen = run("approvals", "approve", ID, *options, "--comment", "ok")
    assert api.targets == [f"GET /approvals/{ID}", f"POST /approvals/{ID}/decision"]
    form = {"amount": 40, "vip": "maybe", "note": "40", "reason": "late", "other": "1"}
    assert json.loads(api.requests[1].content) == {"decision": "approve", "form": form, "comment": "ok"}
    assert "is approved" in seen.out


def test_a_no_asks_for_no_form(run: Run, stage: Stage) -> None:
    api = stage(ok({**APPROVED, "status": "denied"}))
    assert run("approvals", "deny", ID, "--json").json["status"] == "denied"
    assert json.loads(api.requests[0].content) == {"decision": "deny", "form": {}, "comment": ""}


def test_a_field_without_a_value_is_refused_here(run: Run, stage: Stage) -> None:
    api = stage(ok(APPROVAL))
    seen = run("approvals", "approve", ID, "--field", "amount")
    assert (seen.code, "name=value" in seen.err) == (2, True)
    assert [target for target in api.targets if target.startswith("POST")] == []


def test_a_refusal_is_told_in_words(run: Run, stage: Stage) -> None:
    stage(problem(409, "Conflict", "ann decided at 11: approve.", field="approval_id", fix="nothing is left"))
    seen = run("approvals", "deny", ID)
    assert (seen.code, "ann decided" in seen.err) == (3, True)
