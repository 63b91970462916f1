"""Agents that ask agents and hand runs over, with real functions, real tokens and the real machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def experts(api: httpx2.Client) -> None:
    says = {"oracle": "It is 42.", "billing": "Billing speaks."}
    for agent, said in says.items():
        turns = [{"say": said}, {"say": said}]
        answer = api.post("/agents", json=an_agent_body(id=agent, rehearsal={"turns": turns}))
        assert answer.status_code in (200, 201), answer.text


def asking(*calls: str) -> dict[str, Any]:
    asked = [{"tool": "ask_oracle", "arguments": {"input": call}} for call in calls]
    turns = [{"call": asked}, {"say": "{% $join($results.content.output, ' ') %}"}]
    return {"tools": [{"agent": "oracle"}], "rehearsal": {"turns": turns}}


def children_of(api: httpx2.Client, agent: str, parent: str) -> list[dict[str, Any]]:
    listed = api.get("/runs", params={"agent": agent}).json()["runs"]
    return [run for run in listed if run["parent"] == parent]


def test_children_answer_in_parallel_and_cost_their_own(api: httpx2.Client, run: Run) -> None:
    found = run(id="asker", **asking("What?", "Why?", "When?"))
    assert (found["status"], found["output"]) == ("COMPLETED", "It is 42. It is 42. It is 42.")
    children = children_of(api, "oracle", found["id"])
    assert [child["status"] for child in children] == ["COMPLETED"] * 3
    kinds = [e["type"] for e in api.get(f"/runs/{found['id']}/events").json()["events"]]
    assert kinds.index("agent.run.parked") < kinds.index("agent.run.admitted")


def test_a_run_is_handed_over(run: Run) -> None:
    hand = {"tool": "transfer_to_billing", "arguments": {"reason": "money"}}
    found = run(id="desk", tools=[{"handoff": "billing"}], rehearsal={"turns": [{"call": [hand]}]})
    assert (found["status"], found["output"]) == ("COMPLETED", "Billing speaks.")


def test_a_cancel_goes_down(api: httpx2.Client, laptop: Laptop) -> None:
    loop = {"call": [{"tool": "calculate", "arguments": {"expression": "1"}}], "repeat": True}
    slow = an_agent_body(
        id="endless",
        tools=[{"tool": "calculate"}],
        rehearsal={"turns": [loop]},
        limits={"max_iterations": 200},
    )
    asker = an_agent_body(
        id="patient",
        tools=[{"agent": "endless"}],
        rehearsal={
            "turns": [{"call": [{"tool": "ask_endless", "arguments": {"input": "go"}}]}, {"say": "never"}]
        },
    )
    for body in (slow, asker):
        assert api.post("/agents", json=body).status_code in (200, 201)
    parent = api.post("/agents/patient/runs", json={"input": "go"}).json()["id"]
    (child, *_) = wait_for(lambda: children_of(api, "endless", parent) or None)
    assert api.post(f"/runs/{parent}/cancel").status_code == 202
    found = api.get(f"/runs/{child['id']}").json()
    assert found["status"] in ("CANCELLED", "FAILED", "COMPLETED")
    assert found["ended_at"]
