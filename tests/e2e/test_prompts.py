"""Prompts through the real API, functions and tables: registered, used by agents and workflows, changed and changed back."""

from __future__ import annotations

import uuid
from typing import Any

import httpx2
import pytest

from tests.e2e.ends import run_of
from tests.support.builders import an_agent_body
from tests.support.prompts import a_prompt_body

pytestmark = pytest.mark.laptop
VARIABLES = {"customer": {"type": "string", "default": "you"}}


@pytest.fixture
def name() -> str:
    return f"prompt-{uuid.uuid4().hex[:10]}"


def register(api: httpx2.Client, name: str, version: str, template: str) -> None:
    body = a_prompt_body(id=name, version=version, template=template, variables=VARIABLES)
    assert api.post("/prompts", json=body).status_code == 201


def point(api: httpx2.Client, name: str, version: str) -> None:
    assert api.put(f"/prompts/{name}/labels/prod", json={"version": version}).status_code == 200


def start(api: httpx2.Client, agent: str, given: Any = "hello") -> httpx2.Response:
    return api.post(f"/agents/{agent}/runs", params={"wait": 25}, json={"input": given, "charge": True})


def test_a_prompt_from_its_registration_to_its_rollback(api: httpx2.Client, name: str) -> None:
    register(api, name, "1.0.0", "Help {{ customer }}.")
    register(api, name, "1.1.0", "Help {{ customer }}. " + "Be kind. " * 500)
    point(api, name, "1.0.0")
    assert api.post("/agents", json=an_agent_body(id=name, prompt=f"{name}@prod")).status_code == 201

    runs = [run_of(api, start(api, name))]
    point(api, name, "1.1.0")
    runs.append(run_of(api, start(api, name)))
    assert api.post(f"/prompts/{name}/labels/prod/rollback").json()["version"] == "1.0.0"
    runs.append(run_of(api, start(api, name)))

    assert [run["status"] for run in runs] == ["COMPLETED"] * 3
    versions = ["1.0.0", "1.1.0", "1.0.0"]
    assert [run["prompt"] for run in runs] == [
        {"id": name, "version": one, "label": "prod"} for one in versions
    ]
    tokens = [run["totals"]["input_tokens"] for run in runs]
    assert tokens[0] == tokens[2] < tokens[1] - 500

    arms = api.get(f"/prompts/{name}/arms", params={"label": "prod"}).json()["arms"]
    assert [(arm["version"], arm["runs"], arm["completed"]) for arm in arms] == [
        ("1.0.0", 2, 2),
        ("1.1.0", 1, 1),
    ]
    costs = [run["totals"]["cost_usd_micros"] for run in runs]
    assert [arm["cost_usd_micros"] for arm in arms] == [costs[0] + costs[2], costs[1]]
    assert all(arm["active_ms"] > 0 for arm in arms)

    refused = start(api, name, {"customer": 3})
    assert (refused.status_code, refused.json()["field"]) == (400, "variables.customer")
    assert api.delete(f"/prompts/{name}/labels/prod").status_code == 200
    refused = start(api, name)
    assert (refused.status_code, refused.json()["field"]) == (404, "prompt")


def test_the_routes_answer_over_the_wire(api: httpx2.Client, name: str) -> None:
    for version in ("1.0.0", "1.10.0", "1.9.0"):
        register(api, name, version, f"{version}: {{{{ customer }}}}")
    page = api.get(f"/prompts/{name}/versions", params={"limit": 2}).json()
    assert [one["version"] for one in page["versions"]] == ["1.10.0", "1.9.0"]
    page = api.get(f"/prompts/{name}/versions", params={"cursor": page["next_cursor"]}).json()
    assert [one["version"] for one in page["versions"]] == ["1.0.0"]
    rendered = api.post(f"/prompts/{name}/render", json={"variables": {"customer": "Ann"}}).json()
    assert (rendered["text"], rendered["version"]) == ("1.10.0: Ann", "1.10.0")
    diff = api.get(f"/prompts/{name}/diff", params={"from": "1.0.0"}).json()
    assert diff["changed"] == ["template"]
    refused = api.post("/prompts", json=a_prompt_body(id=name, version="2.0.0", template="{{ x.__class__ }}"))
    assert (refused.status_code, refused.json()["field"]) == (400, "template")
    assert api.get(f"/prompts/{name}", params={"version": "2.0.0"}).status_code == 404


def test_an_agent_in_a_workflow_and_one_that_is_handed_over_to_have_their_prompts(
    api: httpx2.Client, name: str
) -> None:
    register(api, name, "1.0.0", "Help {{ customer }}.")
    for agent, more in (
        (f"{name}-clerk", {}),
        (
            f"{name}-desk",
            {
                "tools": [{"handoff": f"{name}-clerk"}],
                "rehearsal": {"turns": [{"call": [{"tool": f"transfer_to_{name}_clerk".replace("-", "_")}]}]},
            },
        ),
    ):
        body = an_agent_body(id=agent, prompt=f"{name}@latest", **more)
        assert api.post("/agents", json=body).status_code == 201
    handed = run_of(api, start(api, f"{name}-desk"))
    events = api.get(f"/runs/{handed['id']}/events").json()["events"]
    told = [one["data"]["prompt"] for one in events if one["type"] == "agent.run.handed_over"]
    assert (handed["status"], told) == ("COMPLETED", [{"id": name, "version": "1.0.0", "label": "latest"}])

    task = {"id": "ask", "type": "agent", "agent": f"{name}-clerk", "with": {"customer": "Ann"}}
    flow = {"id": name, "name": "Flow", "version": "1.0.0", "tasks": [task]}
    assert api.post("/workflows", json=flow, params={"wait": 20}).status_code == 201
    answered = api.post(f"/workflows/{name}/runs", json={}, params={"wait": 25})
    assert answered.json()["status"] == "COMPLETED", answered.text
    (child,) = runs_of(api, f"{name}-clerk")
    assert api.get(f"/runs/{child['id']}").json()["prompt"]["version"] == "1.0.0"


def runs_of(api: httpx2.Client, agent: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/runs", params={"agent": agent}).json()["runs"]
    return found
