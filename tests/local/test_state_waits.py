"""Every kind of wait survives a kill and an orderly stop of the laptop: what was waited for then ends it, and rightly."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.local.patience import wait_for
from tests.local.test_state import ENDED, Up

PERSON = {"tool": "ask_person", "config": {"not_requester": False}}
ASK = {"call": [{"tool": "ask_person", "arguments": {"question": "May I?"}}]}
HUMAN = {"type": "human", "question": "Go on?", "not_requester": False, "timeout_s": 3_600}
SOON = {"strategy": "constant", "max_attempts": 2, "base_s": 60}

AGENTS: dict[str, dict[str, Any]] = {
    "asks-person": {"tools": [PERSON], "turns": [ASK, {"say": "{% $last.ask_person.decision %}"}]},
    "asks-agent": {
        "tools": [{"agent": "asks-person", "name": "ask"}],
        "turns": [
            {"call": [{"tool": "ask", "arguments": {"input": "x"}}]},
            {"say": "{% $last.ask.output %}"},
        ],
    },
    "asks-workflow": {
        "tools": [{"workflow": "asks", "name": "flow"}],
        "turns": [
            {"call": [{"tool": "flow", "arguments": {"input": {}}}]},
            {"say": "{% $last.flow.output %}"},
        ],
    },
}
WORKFLOWS: dict[str, list[dict[str, Any]]] = {
    "asks": [
        {"id": "ask", **HUMAN},
        {"id": "then", "type": "transform", "needs": ["ask"], "output": "approve"},
    ],
    "nested": [{"id": "sub", "type": "subworkflow", "workflow": "asks"}],
    "by-agent": [{"id": "help", "type": "agent", "agent": "asks-person", "with": {"input": "x"}}],
    "called": [{"id": "hook", "type": "webhook", "wait_for_call": True, "timeout_s": 3_600}],
    "pauses": [{"id": "pause", "type": "wait", "seconds": 60}],
    "crossing": [
        {"id": "a", **HUMAN},
        {"id": "b", "type": "transform", "output": 1},
        {"id": "c", "type": "transform", "needs": ["a"], "output": 2},
        {"id": "d", "type": "transform", "needs": ["a", "b"], "output": "approve"},
    ],
    "chunks": [
        {
            "id": "each",
            "type": "foreach",
            "items": [1, 2],
            "chunk_size": 1,
            "tasks": [{"id": "ask", **HUMAN}],
        },
    ],
    "again": [
        {
            "id": "ask",
            **HUMAN,
            "timeout_s": 1,
            "retry": SOON,
            "fallback": {"output": "nobody"},
        },
    ],
}
ASKED = 10
"""Two of `asks-person`, one of them paused, one each of the two that ask another run, six of workflows; without `again`."""
TICK = {"id": "tick", "kind": "schedule", "workflow": "asks", "schedule": {"expression": "rate(1 minute)"}}


def _register(up: Up) -> None:
    for agent, said in AGENTS.items():
        body = {
            "id": agent,
            "name": agent,
            "version": "1.0.0",
            "model": "fast",
            "prompt": "Ask, then answer.",
            "tools": said["tools"],
            "rehearsal": {"turns": said["turns"]},
        }
        if agent == "asks-workflow":
            _keep(up, "asks")
        assert up.http.post("/agents", json=body).status_code == 201, agent
    for workflow in WORKFLOWS:
        _keep(up, workflow)


def _keep(up: Up, workflow: str) -> None:
    body = {"id": workflow, "name": workflow, "version": "1.0.0", "tasks": WORKFLOWS[workflow]}
    # 202 while its machine is being made, which may take long on a machine that has much to do.
    made = wait_for(
        lambda: None if (answer := up.http.post("/workflows", json=body)).status_code == 202 else answer, 300
    )
    assert made.status_code in (200, 201), made.text


def _start(up: Up, kind: str, name: str) -> str:
    answer = up.http.post(f"/{kind}/{name}/runs", json={"input": "x" if kind == "agents" else {}})
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["id"])


def _open(up: Up) -> set[str]:
    """The approvals that wait for somebody, the schedule's own left out."""
    found = up.http.get("/approvals", params={"limit": 100}).json()["approvals"]
    return {str(one["id"]) for one in found}


def _asked_by_all(up: Up, again: str) -> set[str] | None:
    """What all ask, once all have asked: each its own, those that ask another a run of that one, the chunks one each.

    What `again` asks is over after a second, so it may be there or not: it is left out.
    """
    found = {one for one in _open(up) if not one.startswith(again)}
    return found if len(found) == ASKED else None


def _run(up: Up, run: str) -> dict[str, Any]:
    found: dict[str, Any] = up.http.get(f"/runs/{run}").json()
    return found


def _callback(up: Up, run: str) -> str:
    """The address that a task made: in the name of its attempt, which the journal has."""
    table = next(
        name for name in up.client("dynamodb").list_tables()["TableNames"] if name.endswith("journal")
    )
    key = {"pk": {"S": f"T#acme#R#{run}"}, "sk": {"S": "TASK#hook"}}
    item = up.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    secret = json.loads(item["b:1"]["S"])["secret"]
    return f"/callbacks/acme/{run}/hook/{secret}"


def _all_ended(up: Up, runs: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Wait for all of them; where some never end, say who they are and what is still asked."""
    for _ in range(300):
        found = {name: _run(up, run) for name, run in runs.items()}
        if all(run["status"] in ENDED for run in found.values()):
            return found
        time.sleep(1)
    stuck = {name: (run["id"], run["status"]) for name, run in found.items() if run["status"] not in ENDED}
    raise AssertionError(f"still open: {stuck}; still asked: {sorted(_open(up))}")


@pytest.mark.laptop
@pytest.mark.soak
def test_every_kind_of_wait_survives_a_kill_and_a_stop(tmp_path: Path) -> None:
    with Up(tmp_path) as first:
        _register(first)
        runs = {name: _start(first, "agents", name) for name in AGENTS}
        runs |= {name: _start(first, "workflows", name) for name in WORKFLOWS}
        paused = _start(first, "agents", "asks-person")
        asked = wait_for(lambda: _asked_by_all(first, runs["again"]), 300)
        assert first.http.post(f"/runs/{paused}/pause").status_code == 202
        assert first.http.post("/triggers", json=TICK).status_code == 201
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
    with Up(tmp_path) as second:
        assert f"{len(WORKFLOWS)} machines of workflows, 1 schedules" in second.told
        assert all(_run(second, run)["status"] not in ENDED for name, run in runs.items() if name != "again")
        assert asked <= _open(second)
        second.end(signal.SIGINT)
    with Up(tmp_path) as third:
        called = third.http.post(_callback(third, runs["called"]), json={"said": "yes"})
        assert called.status_code == 200, called.text
        assert third.http.post(f"/runs/{paused}/resume").status_code == 202
        for approval in sorted(asked):
            decided = third.http.post(f"/approvals/{approval}/decision", json={"decision": "approve"})
            assert decided.status_code == 200, decided.text
        ended = _all_ended(third, {**runs, "paused": paused})
        assert {name: run["status"] for name, run in ended.items()} == dict.fromkeys(ended, "COMPLETED")
        for name in ("asks-person", "asks-agent", "asks", "nested", "by-agent", "paused"):
            assert ended[name]["output"] == "approve", name
        assert ended["called"]["output"] == {"said": "yes"}
        assert (ended["again"]["output"], ended["crossing"]["output"]["d"]) == ("nobody", "approve")
        assert len(ended["chunks"]["output"]) == 2
        # The schedule has started a run in each of the laptops, or does so within its minute.
        started = third.http.get("/workflows/asks/runs", params={"limit": 50}).json()["runs"]
        assert started
        scheduler = third.client("scheduler")
        (schedule,) = scheduler.list_schedules()["Schedules"]
        assert "1 schedules" in third.told
        assert "trigger-events" in schedule["Target"]["Arn"]
