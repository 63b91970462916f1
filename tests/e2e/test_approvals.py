"""People decide what agents wait for, through the real API, machine and rooms."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from stepward.cli.main import invoke
from stepward.sdk import Stepward
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body
from tests.support.draws import fixed

pytestmark = pytest.mark.laptop
ASK = {"tool": "ask_person", "arguments": {"question": "Refund 40 EUR?", "details": {"order": "SO-1"}}}
FORM = [{"name": "amount", "type": "number", "required": True, "label": "How much"}]
LONG_AGO = "2020-01-01T00:00:00.000Z"

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def people(laptop: Laptop) -> Iterator[dict[str, httpx2.Client]]:
    """Two who may decide, beside the one who starts the runs."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_client(laptop, name)) for name in ("ann", "bob")}


def _client(laptop: Laptop, name: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {laptop.issue_key('acme', name)}"}
    return httpx2.Client(base_url=laptop.url, headers=headers, timeout=60)


@pytest.fixture
def ask(api: httpx2.Client) -> Ask:
    """Start a run that asks, and give its approval once somebody can decide."""

    def ask(
        *calls: dict[str, Any], tools: list[dict[str, Any]] | None = None, **config: Any
    ) -> dict[str, Any]:
        turns = [{"call": list(calls) or [ASK]}, {"say": "{% $string($results[0].content) %}"}]
        tools = tools or [{"tool": "ask_person", "config": config}]
        body = an_agent_body(id=f"asker-{uuid.uuid4().hex[:8]}", tools=tools, rehearsal={"turns": turns})
        assert api.post("/agents", json=body).status_code == 201
        run = api.post(f"/agents/{body['id']}/runs", json={"input": "hello"}).json()["id"]
        return wait_for(lambda: next((one for one in listed(api) if one["run"] == run), None))

    return ask


def listed(api: httpx2.Client, status: str = "open") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/approvals", params={"status": status, "limit": 100}).json()[
        "approvals"
    ]
    return found


def decide(
    who: httpx2.Client, approval: dict[str, Any], decision: str = "approve", **said: Any
) -> httpx2.Response:
    return who.post(f"/approvals/{approval['id']}/decision", json={"decision": decision, **said})


def ended(api: httpx2.Client, run: str) -> dict[str, Any]:
    return wait_for(lambda: ((found := api.get(f"/runs/{run}").json())["ended_at"] and found) or None)


def slots(laptop: Laptop) -> int:
    """Count the slots that the tenant's runs hold."""
    found = laptop.client("dynamodb").query(
        TableName="stepward-laptop-runtime",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "T#acme#SLOT"}},
    )
    return int(found["Count"])


def test_a_person_decides_and_the_run_goes_on(
    api: httpx2.Client, people: dict[str, httpx2.Client], ask: Ask
) -> None:
    approval = ask(form=FORM, approvers=["ann"])
    shown = api.get(f"/approvals/{approval['id']}").json()
    assert (shown["question"], shown["details"], shown["form"]) == ("Refund 40 EUR?", {"order": "SO-1"}, FORM)
    assert api.get(f"/runs/{approval['run']}").json()["status"] == "WAITING"
    wrong = decide(people["ann"], approval, form={"amuont": 40})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "form.amuont")
    assert "did you mean 'amount'?" in wrong.json()["fix"]
    assert decide(people["bob"], approval, form={"amount": 40}).status_code == 403
    assert decide(api, approval, form={"amount": 40}).status_code == 403
    said = decide(people["ann"], approval, form={"amount": 40}, comment="fine")
    assert said.status_code == 200, said.text
    run = ended(api, approval["run"])
    told = json.loads(run["output"])
    assert (told["decision"], told["by"], told["form"], told["comment"]) == (
        "approve",
        "ann",
        {"amount": 40},
        "fine",
    )
    again = decide(people["ann"], approval, form={"amount": 40})
    assert (again.status_code, "ann decided" in again.json()["detail"]) == (409, True)
    assert approval["id"] in [one["id"] for one in listed(api, "done")]


def test_two_at_once_have_one_winner(api: httpx2.Client, people: dict[str, httpx2.Client], ask: Ask) -> None:
    for _ in range(3):
        approval = ask()
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(decide, people.values(), [approval] * 2))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        winner = next(a.json()["decision"]["by"] for a in answers if a.status_code == 200)
        assert json.loads(ended(api, approval["run"])["output"])["by"] == winner


def test_a_guarded_call_is_made_after_the_yes_alone(
    api: httpx2.Client, people: dict[str, httpx2.Client], ask: Ask
) -> None:
    look = {"tool": "policy_lookup", "arguments": {"topic": "electronics"}}
    tool = {"tool": "policy_lookup", "config": {"source": "datasets/refund-policy.json"}}
    guarded = {**tool, "approval": {"approvers": ["ann"], "question": "May I look?"}}
    first, second = (ask(look, tools=[guarded]) for _ in range(2))
    assert (first["question"], first["tool"]) == ("May I look?", "policy_lookup")
    assert decide(people["ann"], first).status_code == 200
    assert decide(people["ann"], second, "deny", comment="no").status_code == 200
    assert "topic" in ended(api, first["run"])["output"]
    assert "ApprovalDenied" in ended(api, second["run"])["output"]


def test_a_cancelled_runs_approvals_close(
    api: httpx2.Client, people: dict[str, httpx2.Client], ask: Ask
) -> None:
    approval = ask(timeout_s=31_536_000)
    assert api.post(f"/runs/{approval['run']}/cancel").status_code == 202
    assert api.get(f"/approvals/{approval['id']}").json()["status"] == "cancelled"
    refused = decide(people["ann"], approval)
    assert (refused.status_code, refused.json()["code"]) == (409, "Conflict")


@pytest.mark.sampled
def test_many_wait_without_a_slot(api: httpx2.Client, laptop: Laptop, ask: Ask) -> None:
    approval = ask()
    agent = approval["agent"]
    runs = [
        api.post(f"/agents/{agent}/runs", json={"input": "hello"}).json()["id"]
        for _ in range(fixed(30, 12) - 1)
    ]
    wait_for(lambda: {*runs} <= {one["run"] for one in listed(api)} or None)
    assert {api.get(f"/runs/{run}").json()["status"] for run in runs} == {"WAITING"}
    wait_for(lambda: slots(laptop) == 0 or None)
    for run in [*runs, approval["run"]]:
        assert api.post(f"/runs/{run}/cancel").status_code == 202


def test_the_janitor_reminds_and_asks_others_too(
    api: httpx2.Client, people: dict[str, httpx2.Client], laptop: Laptop, ask: Ask
) -> None:
    rules = {"reminder_after_s": 60, "escalate_after_s": 120, "escalate_to": ["bob"], "timeout_s": 31_536_000}
    approval = ask(approvers=["ann"], **rules)
    assert decide(people["bob"], approval).status_code == 403
    shown = f"/approvals/{approval['id']}"
    # That somebody is asked is noted after the approval is there, and with it when it is due.
    wait_for(lambda: api.get(shown).json()["requested_at"])
    laptop.client("dynamodb").update_item(
        TableName="stepward-laptop-runtime",
        Key={"pk": {"S": "T#acme#APPROVAL"}, "sk": {"S": approval["id"]}},
        UpdateExpression="SET created_at = :then, gsi3sk = :then",
        ExpressionAttributeValues={":then": {"S": LONG_AGO}},
    )
    done = laptop.client("lambda").invoke(FunctionName="stepward-laptop-janitor", Payload=b"{}")
    said = json.loads(done["Payload"].read())
    assert "FunctionError" not in done, said
    # The janitor's round of this minute may have come first, or stand between telling and noting.
    wait_for(lambda: api.get(shown).json()["escalated_at"])
    assert api.get(shown).json()["reminded_at"]
    assert api.get(shown).json()["approvers"] == ["ann", "bob"]
    assert decide(people["bob"], approval).status_code == 200
    assert json.loads(ended(api, approval["run"])["output"])["by"] == "bob"


def test_a_program_and_the_command_line_decide(
    laptop: Laptop, ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = laptop.issue_key("acme", "carl")
    monkeypatch.setenv("STEPWARD_URL", laptop.url)
    monkeypatch.setenv("STEPWARD_API_KEY", key)
    approval = ask(form=FORM)
    assert invoke(["approvals", "ls", "--json"]) == 0
    assert approval["id"] in [one["id"] for one in json.loads(capsys.readouterr().out)["approvals"]]
    assert invoke(["approvals", "approve", approval["id"], "--field", "amount=40", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["decision"]["form"] == {"amount": 40}
    assert invoke(["approvals", "deny", approval["id"]]) == 3
    assert "carl decided" in capsys.readouterr().err
    with Stepward(laptop.url, key) as client:
        assert client.approvals.show(approval["id"])["status"] == "approved"
        other = ask()
        assert client.approvals.deny(other["id"], comment="no")["status"] == "denied"
