"""Pause, resume, fork, diff and status through the API and the command, on the real machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.e2e.conftest import Tenant
from tests.e2e.ends import end_of, run_of
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
LetGo = Callable[[], None]


def sum_of(expression: str) -> dict[str, Any]:
    return {"call": [{"tool": "calculate", "arguments": {"expression": expression}}]}


TURNS = [
    sum_of("6 * 7"),
    sum_of("{% $results[0].content.value & ' + 1' %}"),
    {"say": "{% $last.calculate.value %}"},
]


@pytest.fixture(scope="module")
def sums(api: httpx2.Client) -> str:
    body = an_agent_body(id="sums", tools=[{"tool": "calculate"}], rehearsal={"turns": TURNS})
    assert api.post("/agents", json=body).status_code in (200, 201)
    return "sums"


def start(api: httpx2.Client, agent: str, given: str = "x") -> dict[str, Any]:
    found: dict[str, Any] = api.post(f"/agents/{agent}/runs", json={"input": given}).json()
    return found


def slow(api: httpx2.Client, site: str) -> str:
    """Start a run that waits for a web site until the test lets it go, so that there is time to say something to it."""
    call = {"call": [{"tool": "http_get", "arguments": {"url": f"{site}/held"}}]}
    tools = [{"tool": "http_get", "config": {"allow": [site]}, "timeout_s": 60}]
    api.post(
        "/agents", json=an_agent_body(id="slow", tools=tools, rehearsal={"turns": [call, {"say": "Late."}]})
    )
    run = str(start(api, "slow")["id"])
    wait_for(lambda: "agent.tool.called" in api.get(f"/runs/{run}/events").text or None)
    return run


def look(api: httpx2.Client, run: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/runs/{run}").json()
    return found


def nobody_is_active(api: httpx2.Client) -> int:
    """Wait until no run has a slot, which follows a run's end by a moment; give how many wait for something else."""
    status = wait_for(lambda: None if (found := api.get("/system/status").json())["active"] else found)
    return int(status["waiting"])


def test_a_run_stands_still_without_a_slot_and_goes_on(
    api: httpx2.Client, laptop: Laptop, site: str, let_go: LetGo
) -> None:
    others = nobody_is_active(api)
    run = slow(api, site)
    paused = api.post(f"/runs/{run}/pause")
    assert (paused.status_code, paused.json()["paused"]) == (202, True)
    twice = api.post(f"/runs/{run}/pause")
    assert (twice.status_code, twice.json()["code"]) == (409, "Conflict")
    assert "paused already, by" in twice.json()["detail"]
    let_go()
    wait_for(lambda: look(api, run)["status"] == "WAITING" or None)
    wait_for(lambda: "waitForTaskToken" in json.dumps(laptop.history(f"{run}.1"), default=str) or None)
    assert nobody_is_active(api) == others + 1
    assert look(api, run)["waiting_for"]["what"] == "pause"
    listed = api.get("/runs", params={"agent": "slow"}).json()["runs"]
    assert next(one for one in listed if one["id"] == run)["paused"] is True
    assert api.post(f"/runs/{run}/resume").status_code == 202
    found = end_of(api, run)
    assert (found["status"], found["output"], found["paused"]) == ("COMPLETED", "Late.", False)
    again = api.post(f"/runs/{run}/resume")
    assert (again.status_code, again.json()["detail"]) == (409, "the run has ended as COMPLETED.")
    assert nobody_is_active(api) == others


def test_a_paused_run_is_cancelled_for_good(api: httpx2.Client, site: str, let_go: LetGo) -> None:
    others = nobody_is_active(api)
    run = slow(api, site)
    api.post(f"/runs/{run}/pause")
    let_go()
    wait_for(lambda: look(api, run)["status"] == "WAITING" or None)
    assert api.post(f"/runs/{run}/cancel").json()["status"] == "CANCELLED"
    assert look(api, run)["paused"] is False
    assert nobody_is_active(api) == others


def test_a_fork_goes_on_with_another_result(api: httpx2.Client, sums: str) -> None:
    source = end_of(api, start(api, sums)["id"])
    assert source["output"] == "43"
    asked = {"turn": 1, "results": {"call_1_1": {"value": "10"}}, "prompt": "Other.", "model": "deep"}
    headers = {"Idempotency-Key": f"fork-{source['id']}"}
    forked = api.post(f"/runs/{source['id']}/fork", params={"wait": 25}, json=asked, headers=headers)
    run = run_of(api, forked)
    assert run["output"] == "11"
    again = api.post(f"/runs/{source['id']}/fork", json=asked, headers=headers).json()
    assert again["id"] == run["id"]
    assert run["fork_of"]["run"] == source["id"]
    assert (run["totals"]["turns"], run["totals"]["tool_calls"]) == (2, 1)
    seen = api.get(f"/runs/{source['id']}/diff", params={"with": run["id"]}).json()
    assert (seen["first_difference"], seen["fork"]["turn"]) == (1, 1)
    assert seen["turns"][-1]["text"] == {"left": "43", "right": "11"}


def test_a_large_history_is_inherited_outside_the_table(api: httpx2.Client) -> None:
    words = {"say": "{% $input %}", **sum_of("1 + 1")}
    body = an_agent_body(
        id="wordy", tools=[{"tool": "calculate"}], limits={"cost_limit_usd": 10},
        rehearsal={"turns": [words, {"say": "{% $string($turn) %}"}]},
    )  # fmt: skip
    api.post("/agents", json=body)
    source = end_of(api, start(api, "wordy", given="ä" * 100_000)["id"])
    assert source["status"] == "COMPLETED"
    forked = run_of(api, api.post(f"/runs/{source['id']}/fork", params={"wait": 25}, json={"turn": 1}))
    assert (forked["status"], forked["output"]) == ("COMPLETED", "2")
    seen = api.get(f"/runs/{source['id']}/diff", params={"with": forked["id"]}).json()
    assert seen["first_difference"] is None


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({"turn": 0}, 400, "counted from 1"),
        ({"turn": 9}, 400, "no turn 9 with results"),
        ({"turn": 1, "results": {"call_7_7": 1}}, 400, "make no call"),
        ({"turn": 1, "model": "nobody-knows-it"}, 400, "has no price"),
    ],
)
def test_a_fork_that_cannot_be_is_refused(
    api: httpx2.Client, sums: str, asked: dict[str, Any], status: int, says: str
) -> None:
    source = end_of(api, start(api, sums)["id"])
    refused = api.post(f"/runs/{source['id']}/fork", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (status, "InvalidRequest")
    assert says in refused.json()["detail"]
    assert refused.json()["fix"]


def test_the_command_pauses_forks_and_compares(laptop: Laptop, api: httpx2.Client, sums: str) -> None:
    source = end_of(api, start(api, sums)["id"])["id"]
    refused = _stepward(laptop, "runs", "pause", source)
    assert refused.returncode != 0
    assert "has ended as COMPLETED" in refused.stderr
    forked = _stepward(
        laptop, "runs", "fork", source, "--turn", "1", "--result", 'call_1_1={"value": "1"}', "--json"
    )
    run = json.loads(forked.stdout)
    assert (forked.returncode, run["output"]) == (0, "2")
    assert "They part at turn 1." in _stepward(laptop, "runs", "diff", source, run["id"]).stdout
    status = json.loads(_stepward(laptop, "status", "--json").stdout)
    assert status["slots"]["limit"] == 10


def test_the_status_shows_the_line(tenant: Tenant, laptop: Laptop, site: str, let_go: LetGo) -> None:
    api = tenant.api
    laptop.operate("account_limits", "--tenant", tenant.name, "--active", "1")
    first = slow(api, site)
    second = start(api, "slow")["id"]
    status = api.get("/system/status").json()
    assert (status["active"], status["in_line"]["normal"], status["slots"]["free"]) == (1, 1, 0)
    assert status["oldest_in_line_s"] >= 0
    assert api.post(f"/runs/{second}/pause").status_code == 202
    assert api.get("/system/status").json()["in_line"]["total"] == 0
    assert look(api, second)["waiting_for"]["what"] == "pause"
    let_go()
    end_of(api, first)
    assert look(api, second)["status"] == "PENDING"
    api.post(f"/runs/{second}/resume")
    assert end_of(api, second)["status"] == "COMPLETED"


def _stepward(laptop: Laptop, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "STEPWARD_URL": laptop.url, "STEPWARD_API_KEY": laptop.api_key}
    command = [str(Path(sys.executable).with_name("stepward")), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
