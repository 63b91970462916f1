"""Workflows on the real machine: registered, published, carried by real functions, settled."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.e2e.ends import end_of, run_of, version_of
from tests.e2e.executions import execution_arn
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop


def register(api: httpx2.Client, **document: Any) -> dict[str, Any]:
    body = {"name": "A workflow", "version": "1.0.0", **document}
    return version_of(api, api.post("/workflows", json=body, params={"wait": 25}))


def run(api: httpx2.Client, workflow: str, given: Any = None) -> dict[str, Any]:
    return run_of(
        api, api.post(f"/workflows/{workflow}/runs", params={"wait": 25}, json={"input": given or {}})
    )


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {task["task"]: task["status"] for task in found["tasks"]}


def test_tasks_that_need_each_other_run_in_order_and_bring_their_outputs(api: httpx2.Client) -> None:
    total = {"id": "total", "type": "transform", "output": "{% $input.price * $input.count %}"}
    exact = {
        "id": "exact",
        "type": "tool",
        "tool": "calculate",
        "with": {"expression": "{% $string($tasks.total) & ' * 1.19' %}"},
        "needs": ["total"],
    }
    note = {"id": "note", "type": "transform", "output": "{% 'for ' & $input.who %}"}
    last = {
        "id": "bill",
        "type": "transform",
        "needs": ["exact", "note"],
        "output": {"text": "{% $tasks.note %}", "total": "{% $tasks.exact.value %}"},
    }
    register(api, id="two-branches", tasks=[total, exact, note, last])
    found = run(api, "two-branches", {"price": 20, "count": 5, "who": "Ada"})
    assert (found["status"], found["output"]) == ("COMPLETED", {"text": "for Ada", "total": "119.00"})
    assert set(statuses(found).values()) == {"COMPLETED"}


def test_branches_are_skipped_items_are_mapped_and_loops_end(api: httpx2.Client) -> None:
    tasks = [
        {
            "id": "large",
            "type": "condition",
            "test": "{% $input.amount > 100 %}",
            "then": ["ask"],
            "otherwise": ["go"],
        },
        {"id": "ask", "type": "transform", "output": "asked"},
        {"id": "go", "type": "transform", "output": "went"},
        {
            "id": "each",
            "type": "foreach",
            "items": "{% $input.rows %}",
            "tasks": [
                {"id": "twice", "type": "transform", "output": "{% $item * 2 %}"},
                {
                    "id": "more",
                    "type": "transform",
                    "needs": ["twice"],
                    "output": "{% $tasks.twice + $index %}",
                },
            ],
        },
        {
            "id": "again",
            "type": "loop",
            "max_iterations": 5,
            "until": "{% $tasks.count >= 3 %}",
            "tasks": [{"id": "count", "type": "transform", "output": "{% $iteration + 1 %}"}],
        },
        {"id": "pause", "type": "wait", "seconds": 1},
        {
            "id": "end",
            "type": "transform",
            "needs": ["ask", "go", "each", "again", "pause"],
            "run_when": "any_done",
            "output": {
                "each": "{% $tasks.each %}",
                "again": "{% $tasks.again %}",
                "status": "{% $status.ask %}",
            },
        },
    ]
    register(api, id="shapes-flow", tasks=tasks)
    found = run(api, "shapes-flow", {"amount": 7, "rows": [1, 2, 3]})
    assert found["status"] == "COMPLETED", found["error"]
    assert found["output"] == {"each": [2, 5, 8], "again": {"count": 3}, "status": "SKIPPED"}


def test_agents_people_and_calls_from_outside_answer_tasks(api: httpx2.Client) -> None:
    agent = an_agent_body(id="flow-writer", rehearsal={"turns": [{"say": "{% 'Dear ' & $input.who %}"}]})
    assert api.post("/agents", json=agent).status_code in (200, 201)
    tasks = [
        {"id": "write", "type": "agent", "agent": "flow-writer", "with": {"who": "{% $input.who %}"}},
        {
            "id": "allow",
            "type": "human",
            "question": "{% 'Send ' & $tasks.write & '?' %}",
            "needs": ["write"],
            "not_requester": False,
            "timeout_s": 600,
        },
        {"id": "paid", "type": "webhook", "wait_for_call": True, "timeout_s": 600},
        {
            "id": "sent",
            "type": "transform",
            "needs": ["allow", "paid"],
            "output": {"by": "{% $tasks.allow.by %}", "paid": "{% $tasks.paid.amount %}"},
        },
    ]
    register(api, id="letters-flow", tasks=tasks)
    started = api.post("/workflows/letters-flow/runs", json={"input": {"who": "Ada"}})
    assert started.status_code == 202, started.text
    run_id = started.json()["id"]
    approval = wait_for(lambda: _open_approval(api, run_id))
    assert approval["question"] == "Send Dear Ada?"
    assert (approval["workflow"], approval["task"]) == ("letters-flow", "allow")
    decided = api.post(f"/approvals/{approval['id']}/decision", json={"decision": "approve"})
    assert decided.status_code == 200, decided.text
    address = _address(api, run_id)
    assert api.post(f"{address}x", json={}, headers={"Authorization": ""}).status_code == 404
    called = api.post(address, json={"amount": 12}, headers={"Authorization": ""})
    assert called.status_code == 200, called.text
    found = end_of(api, run_id)
    assert (found["status"], found["output"]["paid"]) == ("COMPLETED", 12), found
    assert api.post(address, json={"amount": 13}).status_code == 409


def _open_approval(api: httpx2.Client, run_id: str) -> dict[str, Any] | None:
    return next((one for one in api.get("/approvals").json()["approvals"] if one["run"] == run_id), None)


def _address(api: httpx2.Client, run_id: str) -> str:
    tasks = api.get(f"/runs/{run_id}").json()["tasks"]
    return next(str(task["callback"]) for task in tasks if task["task"] == "paid")


def test_a_failed_run_is_run_again_from_where_it_failed(api: httpx2.Client) -> None:
    tasks = [
        {"id": "stamp", "type": "transform", "output": "{% $millis() %}"},
        {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600, "needs": ["stamp"]},
        {
            "id": "check",
            "type": "transform",
            "needs": ["call"],
            "output": "{% $tasks.call.ok ? 1 : $error('no') %}",
        },
    ]
    register(api, id="second-try", tasks=tasks)
    run_id = api.post("/workflows/second-try/runs", json={}).json()["id"]
    wait_for(lambda: _waits(api, run_id, "call"))
    assert api.post(f"/runs/{run_id}/rerun").status_code == 409
    cancelled = api.post(f"/runs/{run_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "CANCELLED")
    again = api.post(f"/runs/{run_id}/rerun").json()
    wait_for(lambda: _waits(api, again["id"], "call"))
    tasks_of = {
        one: {t["task"]: t for t in api.get(f"/runs/{one}").json()["tasks"]} for one in (run_id, again["id"])
    }
    assert tasks_of[run_id]["stamp"]["output"] == tasks_of[again["id"]]["stamp"]["output"]
    address = tasks_of[again["id"]]["call"]["callback"]
    assert api.post(address, json={"ok": False}).status_code == 200
    failed = end_of(api, again["id"])
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "OutputMalformed")


def _waits(api: httpx2.Client, run_id: str, task: str) -> bool | None:
    tasks = api.get(f"/runs/{run_id}").json()["tasks"]
    return next((True for one in tasks if one["task"] == task and "callback" in one), None)


def test_a_run_whose_machine_is_stopped_behind_its_back_is_closed(api: httpx2.Client, laptop: Laptop) -> None:
    waiting = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}
    register(api, id="abandoned-flow", tasks=[waiting])
    run_id = api.post("/workflows/abandoned-flow/runs", json={}).json()["id"]
    wait_for(lambda: _waits(api, run_id, "call"))
    laptop.client("stepfunctions").stop_execution(executionArn=execution_arn(api, run_id))
    found = end_of(api, run_id)
    assert found["status"] == "FAILED", found


def test_a_run_whose_time_is_over_is_undone(api: httpx2.Client) -> None:
    undo = {"type": "event", "event": "unmade", "with": {"what": "{% $tasks.make %}"}}
    make = {"id": "make", "type": "transform", "output": 1, "compensate": undo}
    call = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 3, "needs": ["make"]}
    register(api, id="late-flow", timeout_s=3, tasks=[make, call])
    found = run(api, "late-flow")
    assert (found["status"], found["error"]["code"]) == ("FAILED", "States.Timeout")
    assert statuses(found) == {"make": "COMPLETED", "call": "CANCELLED", "make~undone": "COMPLETED"}


def test_a_state_machine_goes_where_its_tasks_say_and_comes_back(api: httpx2.Client) -> None:
    tasks = [
        {
            "id": "processing",
            "type": "transform",
            "max_visits": 3,
            "output": "{% $input.base + ($exists($tasks.review) ? 1 : 0) %}",
            "next": [{"to": "review"}],
        },
        {
            "id": "review",
            "type": "transform",
            "output": "{% $tasks.processing > $input.base ? 'approve' : 'again' %}",
            "next": [{"to": "approved", "when": "{% $tasks.review = 'approve' %}"}, {"to": "error"}],
        },
        {"id": "error", "type": "transform", "output": "logged", "next": [{"to": "processing"}]},
        {"id": "approved", "type": "transform", "output": "{% 'approved ' & $tasks.processing %}"},
    ]
    register(api, id="review-circle", start="processing", tasks=tasks)
    found = run(api, "review-circle", {"base": 4})
    assert (found["status"], found["output"]) == ("COMPLETED", "approved 5"), found
    way = [task["task"] for task in sorted(found["tasks"], key=lambda one: one["at"])]
    assert way == ["processing", "review", "error", "processing", "review", "approved"]
    endless = [{**task} for task in tasks]
    endless[1] = {**endless[1], "output": "again"}
    register(api, id="endless-circle", start="processing", tasks=endless)
    stopped = run(api, "endless-circle", {"base": 4})
    assert (stopped["status"], stopped["error"]["code"]) == ("FAILED", "MaxIterationsReached"), stopped[
        "error"
    ]


def test_a_wrong_document_is_refused_with_everything_that_is_wrong(api: httpx2.Client) -> None:
    text = "id: wrong-flow\nname: Wrong\nversion: 1.0.0\ntasks:\n  - id: a\n    type: transform\n    needs: [b]\n    colour: red\n  - id: b\n    type: transform\n    needs: [a]\n"
    answer = api.post("/workflows", content=text, headers={"content-type": "application/yaml"})
    assert answer.status_code == 400
    problems = answer.json()["errors"]
    assert len(problems) >= 2
    assert all(problem["fix"] and problem["line"] for problem in problems), problems
    assert api.get("/workflows/wrong-flow").status_code == 404


def test_a_version_that_runs_use_cannot_be_removed(api: httpx2.Client) -> None:
    waiting = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}
    register(api, id="kept-flow", tasks=[waiting])
    run_id = api.post("/workflows/kept-flow/runs", json={}).json()["id"]
    refused = api.delete("/workflows/kept-flow/versions/1.0.0")
    assert (refused.status_code, refused.json()["field"]) == (409, "version")
    assert api.post(f"/runs/{run_id}/cancel").status_code == 202
    assert api.delete("/workflows/kept-flow/versions/1.0.0").status_code == 200
    assert api.get("/workflows/kept-flow").status_code == 404
