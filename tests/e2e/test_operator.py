"""What only who operates the platform may set, and what it bounds: slots of runs of both kinds, and API keys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.e2e.conftest import Tenant
from tests.e2e.ends import version_of
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
ASK = {"id": "ask", "type": "human", "question": "May it?", "timeout_s": 3_600, "with": {}}


@pytest.fixture
def one_slot(laptop: Laptop, tenant: Tenant) -> httpx2.Client:
    laptop.operate("account_limits", "--tenant", tenant.name, "--active", "1")
    return tenant.api


def register(api: httpx2.Client, name: str, *tasks: dict[str, Any]) -> str:
    body = {"id": name, "name": name, "version": "1.0.0", "tasks": tasks}
    version_of(api, api.post("/workflows", json=body, params={"wait": 25}))
    return name


def start(api: httpx2.Client, workflow: str) -> str:
    return str(api.post(f"/workflows/{workflow}/runs", json={}).json()["id"])


def status(api: httpx2.Client, run: str) -> str:
    return str(api.get(f"/runs/{run}").json()["status"])


def test_workflows_wait_for_slots_and_give_them_back(one_slot: httpx2.Client) -> None:
    api = one_slot
    rest = register(api, "resting", {"id": "rest", "type": "wait", "seconds": 30})
    first, second = start(api, rest), start(api, rest)
    assert (status(api, first), status(api, second)) == ("RUNNING", "PENDING")
    seen = api.get("/system/status").json()
    assert (seen["active"], seen["in_line"]["normal"], seen["slots"]["free"]) == (1, 1, 0)
    assert api.post(f"/runs/{second}/cancel").status_code == 202
    assert api.get("/system/status").json()["in_line"]["total"] == 0
    assert api.post(f"/runs/{first}/cancel").status_code == 202
    assert api.get("/system/status").json()["active"] == 0

    helper = an_agent_body(id="slot-helper")
    assert api.post("/agents", json=helper).status_code in (200, 201)
    agent = {"id": "agent", "type": "agent", "agent": "slot-helper", "with": {"input": "hello"}}
    both = [{**agent, "id": "left"}, {**agent, "id": "right"}]
    after = {"id": "after", "type": "transform", "output": 1, "needs": ["left", "right"]}
    nested = register(api, "nesting", *both, after)
    runs = [start(api, nested) for _ in range(3)]
    ended = [wait_for(lambda run=run: api.get(f"/runs/{run}").json()["ended_at"], 90) for run in runs]  # type: ignore[misc]
    assert all(ended)
    assert [status(api, run) for run in runs] == ["COMPLETED"] * 3

    asking = register(api, "slot-asking", {**ASK, "not_requester": False}, {**after, "needs": ["ask"]})
    waiting = [start(api, asking) for _ in range(2)]
    for run in waiting:
        wait_for(lambda run=run: status(api, run) == "WAITING" or None)  # type: ignore[misc]
    seen = api.get("/system/status").json()
    assert (seen["active"], seen["waiting"], seen["in_line"]["total"]) == (0, 2, 0)
    for run in waiting:
        task = next(one for one in api.get(f"/runs/{run}").json()["tasks"] if one["task"] == "ask")
        said = api.post(f"/approvals/{task['approval']}/decision", json={"decision": "approve"})
        assert said.status_code == 200, said.text
        wait_for(lambda run=run: status(api, run) == "COMPLETED" or None)  # type: ignore[misc]
    seen = api.get("/system/status").json()
    assert (seen["active"], seen["waiting"]) == (0, 0)


def test_a_used_up_budget_refuses_workflows_too(tenant: Tenant) -> None:
    api = tenant.api
    made = register(api, "costless", {"id": "make", "type": "transform", "output": 1})
    api.put("/budgets/month", json={"limit_usd": 0})
    refused = wait_for(lambda: _refused(api, made), 40)
    assert (refused["code"], refused["field"]) == ("BudgetExceeded", "budget")


def _refused(api: httpx2.Client, workflow: str) -> dict[str, Any] | None:
    answer = api.post(f"/workflows/{workflow}/runs", json={})
    found: dict[str, Any] = answer.json()
    return found if answer.status_code == 402 else None


def test_no_tenant_sets_its_limit(api: httpx2.Client) -> None:
    refused = api.put("/limits", json={"active": 500})
    assert (refused.status_code, refused.json()["code"]) == (403, "NotAllowed")
    assert "stepward.runtime.account_limits --tenant acme --active N" in refused.json()["fix"]
    assert api.get("/limits").json() == {"active": 10, "account_active": 100}


def test_the_operator_makes_and_revokes_keys(laptop: Laptop, tmp_path: Path) -> None:
    facts = {
        "url": laptop.url, "api_key": laptop.api_key, "tenant": "acme", "endpoint": laptop.endpoint, "pid": os.getpid(),
        "identity_table": laptop.physical_id("AWS::DynamoDB::Table", "-identity"),
    }  # fmt: skip
    (tmp_path / ".stepward").mkdir()
    (tmp_path / ".stepward" / "laptop.json").write_text(json.dumps(facts), encoding="utf-8")

    def stepward(*words: str) -> str:
        command = [str(Path(sys.executable).with_name("stepward")), "keys", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    key = stepward("create", "--principal", "boss", "--expires-in", "1h")
    name = key.split("_")[1]
    with httpx2.Client(base_url=laptop.url, headers={"Authorization": f"Bearer {key}"}) as boss:
        assert boss.get("/limits").status_code == 200
        assert name in stepward("ls")
        stepward("revoke", name, "--yes")
        refused = boss.get("/limits")
        assert (refused.status_code, refused.json()["code"]) == (401, "NotAuthenticated")
        assert "revoked" in refused.json()["detail"]
    assert {one["id"]: one["status"] for one in json.loads(stepward("ls", "--json"))}[name] == "revoked"
