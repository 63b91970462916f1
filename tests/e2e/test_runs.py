"""Runs through the whole stack: what they answer, what they cost, how they fail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import yaml

from infra.local.laptop import Laptop
from tests.e2e.conftest import LIBRARY, put_dataset
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body
from tests.support.draws import fixed

pytestmark = pytest.mark.laptop
Run = Callable[..., dict[str, Any]]
CALCULATE = {"tool": "calculate"}


def support_agent() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((LIBRARY / "support" / "agent.yaml").read_text())
    return found


def test_the_support_agents_answer_depends_on_the_order(run: Run, laptop: Laptop) -> None:
    agent = support_agent()
    before = run({"ticket_id": "T-1001"}, **agent)
    assert before["status"] == "COMPLETED"
    assert "203.99 USD" in before["output"]
    orders = (LIBRARY / "support" / "datasets" / "orders.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(orders)))
    next(row for row in rows if row["order_id"] == "SO-40120")["amount"] = "77.10"
    changed = io.StringIO()
    writer = csv.DictWriter(changed, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    put_dataset(laptop, "orders.csv", changed.getvalue().encode())
    try:
        after = run({"ticket_id": "T-1001"}, **agent)
    finally:
        put_dataset(laptop, "orders.csv", orders.encode())
    assert "77.10 USD" in after["output"]
    assert "203.99" not in after["output"]


def test_a_run_says_what_it_took_and_its_events_tell_the_story(run: Run, api: httpx2.Client) -> None:
    ended = run({"ticket_id": "T-1001"}, **support_agent())
    assert ended["totals"]["turns"] == 5
    assert ended["totals"]["tool_calls"] == 4
    assert ended["totals"]["cost_usd_micros"] > 0
    assert ended["rehearsed"] is True
    events = api.get(f"/runs/{ended['id']}/events").json()
    kinds = [event["type"] for event in events["events"]]
    assert kinds[0] == "agent.run.created"
    assert kinds[-1] == "agent.run.ended"
    assert kinds.count("agent.tool.called") == kinds.count("agent.tool.completed") == 4
    assert events["ended"] is True
    rest = api.get(f"/runs/{ended['id']}/events", params={"after": events["events"][2]["id"]}).json()
    assert rest["events"] == [
        event for event in events["events"] if event["seq"] > events["events"][2]["seq"]
    ]


@pytest.mark.sampled
def test_many_runs_started_at_once_all_end_right(api: httpx2.Client) -> None:
    many = fixed(100, 30)
    turns = [
        {"call": [{"tool": "calculate", "arguments": {"expression": "{% $string($input.n) & ' * 2' %}"}}]},
        {"say": "{% $last.calculate.value %}"},
    ]
    api.post("/agents", json=an_agent_body(id="doubler", tools=[CALCULATE], rehearsal={"turns": turns}))

    def start(n: int) -> str:
        answer = api.post("/agents/doubler/runs", json={"input": {"n": n}})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(many) as threads:
        ids = list(threads.map(start, range(many)))
    ended = [_ended(api, run_id) for run_id in ids]
    assert [(run["status"], run["output"]) for run in ended] == [
        ("COMPLETED", str(2 * n)) for n in range(many)
    ]


def _ended(api: httpx2.Client, run_id: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = api.get(f"/runs/{run_id}").json()
        return run if run["ended_at"] else None

    return wait_for(ended, 180)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/hang", "gave no answer"),
        ("/flood", "more than"),
        ("/drop", "gave no answer"),
        ("/away", "302"),
        ("/fine", "hello"),
    ],
)
def test_what_a_web_site_does_is_the_models_news(run: Run, site: str, path: str, says: str) -> None:
    ended = run(
        id=f"fetcher-{path[1:]}",
        tools=[{"tool": "http_get", "config": {"allow": [site]}, "timeout_s": 3}],
        rehearsal={"turns": [{"call": [{"tool": "http_get", "arguments": {"url": site + path}}]},
                             {"say": "{% $string($results) %}"}]},
    )  # fmt: skip
    assert ended["status"] == "COMPLETED"
    assert says in ended["output"]


def test_a_host_outside_the_allow_list_is_a_tool_error(run: Run, site: str) -> None:
    ended = run(
        id="wanderer",
        tools=[{"tool": "http_get", "config": {"allow": [site]}}],
        rehearsal={"turns": [{"call": [{"tool": "http_get", "arguments": {"url": "http://192.0.2.1/"}}]},
                             {"say": "{% $results[0].content.detail %}"}]},
    )  # fmt: skip
    assert "not on the allow-list" in ended["output"]


def test_a_missing_data_set_is_a_tool_error(run: Run) -> None:
    ended = run(
        id="seeker",
        tools=[{"tool": "record_lookup", "config": {"source": "datasets/nothing.csv", "key": "id"}}],
        rehearsal={"turns": [{"call": [{"tool": "record_lookup", "arguments": {"key": "1"}}]},
                             {"say": "{% $results[0].content.error %}"}]},
    )  # fmt: skip
    assert ended["output"] == "ToolFailed"


def test_a_loop_stops_at_its_limit(run: Run) -> None:
    loop = {"call": [{"tool": "calculate", "arguments": {"expression": "1"}}], "repeat": True}
    ended = run(id="looper", tools=[CALCULATE], limits={"max_iterations": 5}, rehearsal={"turns": [loop]})
    assert (ended["status"], ended["error"]["code"]) == ("FAILED", "MaxIterationsReached")
    assert ended["totals"]["turns"] == 5


def test_a_budget_stops_a_run_before_it_overspends(run: Run) -> None:
    loop = {"call": [{"tool": "calculate", "arguments": {"expression": "1"}}], "repeat": True}
    ended = run(
        id="spender", tools=[CALCULATE], limits={"cost_limit_usd": "0.02"}, rehearsal={"turns": [loop]}
    )
    assert ended["status"] == "BUDGET_EXCEEDED"
    assert 0 < ended["totals"]["cost_usd_micros"] <= 20_000


def test_a_large_input_travels_outside_the_table(run: Run) -> None:
    ended = run(
        {"text": "ä" * 400_000}, id="reader", limits={"cost_limit_usd": 10},
        rehearsal={"turns": [{"say": "{% $string($length($input.text)) %}"}]},
    )  # fmt: skip
    assert ended["output"] == "400000"
    assert len(ended["input"]["text"]) == 400_000


def test_state_stays_under_two_kilobytes(run: Run, laptop: Laptop) -> None:
    call = {"tool": "policy_lookup", "arguments": {"topic": "electronics"}}
    ended = run(
        id="broad",
        tools=[{"tool": "policy_lookup", "config": {"source": "datasets/refund-policy.json"}}],
        rehearsal={"turns": [{"call": [call] * 12}, {"say": "Done."}]},
    )
    events = laptop.history(f"{ended['id']}.1")
    details = [value for event in events for value in event.values() if isinstance(value, dict)]
    states = [text for detail in details for name, text in detail.items() if name in ("input", "output")]
    assert len([event for event in events if event["type"].endswith("StateEntered")]) == 3 + 3 + 12
    assert max(len(text.encode()) for text in states) < 2_000


def test_a_cancelled_run_is_over_in_journal_head_and_machine(
    api: httpx2.Client, laptop: Laptop, site: str
) -> None:
    slow = {
        "turns": [{"call": [{"tool": "http_get", "arguments": {"url": f"{site}/hang"}}]}, {"say": "Late."}]
    }
    body = an_agent_body(
        id="sleeper", tools=[{"tool": "http_get", "config": {"allow": [site]}}], rehearsal=slow
    )
    assert api.post("/agents", json=body).status_code == 201
    run_id = api.post("/agents/sleeper/runs", json={"input": "x"}).json()["id"]
    wait_for(lambda: "agent.tool.called" in api.get(f"/runs/{run_id}/events").text or None)
    cancelled = api.post(f"/runs/{run_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "CANCELLED")
    again = api.post(f"/runs/{run_id}/cancel")
    assert (again.status_code, again.json()["status"]) == (202, "CANCELLED")
    execution = laptop.client("stepfunctions").describe_execution(
        executionArn=laptop.execution_arn(f"{run_id}.1")
    )
    assert (execution["status"], execution["error"]) == ("ABORTED", "RunCancelled")
    assert api.get(f"/runs/{run_id}").json()["error"]["code"] == "RunCancelled"


def test_logs_are_structured_and_hold_no_input(run: Run, laptop: Laptop) -> None:
    ended = run("a-very-private-word", id="discreet")
    text = (laptop.log_dir / "agent_advance.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    mine = [line for line in lines if line.get("context", {}).get("executionId") == ended["id"]]
    assert mine
    assert {"timestamp", "level", "message", "metadata"} <= mine[0].keys()
    assert mine[0]["metadata"]["success"] is True
    everything = "".join(path.read_text() for path in laptop.log_dir.iterdir())
    assert "a-very-private-word" not in everything
    assert laptop.api_key.split("_")[2] not in everything
