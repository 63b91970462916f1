"""Money on the laptop: what a run costs, what it may, and what is told when a budget runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from infra.local.histories import count
from infra.local.laptop import Laptop
from tests.e2e.conftest import forget_limits
from tests.e2e.ends import end_of, version_of
from tests.e2e.executions import execution_arn
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop

Run = Callable[..., dict[str, Any]]
CHARGED = {"charge": True}
PRICE = {"input_usd_per_mtok": "1000", "output_usd_per_mtok": "0", "source": "a test", "as_of": "2026-11-01"}


@pytest.fixture
def budget(api: httpx2.Client, laptop: Laptop) -> Iterator[Callable[[str, str], dict[str, Any]]]:
    """Set budgets, and remove them again, because they bound every other run."""
    made: list[str] = []

    def put(name: str, limit_usd: str) -> dict[str, Any]:
        answer = api.put(f"/budgets/{name}", json={"limit_usd": limit_usd})
        assert answer.status_code == 200, answer.text
        made.append(name)
        forget_limits(laptop)
        found: dict[str, Any] = answer.json()
        return found

    yield put
    for name in made:
        api.delete(f"/budgets/{name}")
    forget_limits(laptop)


def _budget(api: httpx2.Client, scope: str) -> dict[str, Any]:
    found: dict[str, Any] = next(b for b in api.get("/budgets").json()["budgets"] if b["scope"] == scope)
    return found


def _booked(api: httpx2.Client, agent: str) -> dict[str, Any] | None:
    lines = api.get("/costs", params={"by": "agent"}).json()["costs"]
    return next((line for line in lines if line["agent"] == agent), None)


def test_a_run_is_booked_where_it_is_counted(api: httpx2.Client, laptop: Laptop, run: Run) -> None:
    ended = run(id="counted", model="deep", said=CHARGED)
    line = wait_for(lambda: _booked(api, "counted"))  # an end is shown a moment before it is booked
    assert (line["runs"], line["turns"]) == (1, ended["totals"]["turns"])
    assert line["model_usd_micros"] == ended["totals"]["cost_usd_micros"] > 0
    assert line["aws_usd_micros"] == ended["aws"]["usd_micros"] > 0
    models = api.get("/costs", params={"by": "model"}).json()["costs"]
    assert "claude-opus-5-5" in {found["model"] for found in models}
    execution = f"arn:aws:states:us-east-1:123456789012:execution:stepward-laptop-agent-run:{ended['id']}.1"
    history = laptop.client("stepfunctions").describe_execution(executionArn=execution)["executionArn"]
    assert ended["aws"]["counts"]["transitions"] == count(laptop.history(history)).states_entered


def test_a_rehearsal_is_booked_with_what_is_really_paid(api: httpx2.Client, run: Run, budget: Any) -> None:
    budget("day", "0.000001")
    ended = run(id="rehearsed-only", model="deep")
    assert (ended["rehearsed"], ended["answered_by"], ended["charged"]) == (True, "rehearsal", False)
    assert _budget(api, "day")["committed_usd_micros"] == 0
    line = wait_for(lambda: _booked(api, "rehearsed-only"))
    assert (line["runs"], line["model_usd_micros"], line["aws_usd_micros"]) == (
        1,
        0,
        ended["aws"]["usd_micros"],
    )
    listed = api.get("/runs", params={"agent": "rehearsed-only"}).json()["runs"]
    assert [(one["answered_by"], one["charged"]) for one in listed] == [("rehearsal", False)]


def test_a_workflow_is_booked_with_what_it_took_itself(api: httpx2.Client, laptop: Laptop, run: Run) -> None:
    run(id="billed-writer", model="deep")
    tasks = [
        {"id": "rows", "type": "foreach", "items": [1, 2], "tasks": [{"id": "twice", "type": "transform", "output": "{% $item * 2 %}"}]},
        {"id": "total", "type": "tool", "tool": "calculate", "with": {"expression": "2 + 2"}},
        {"id": "write", "type": "agent", "agent": "billed-writer", "with": {"input": "hello"}, "needs": ["rows", "total"]},
    ]  # fmt: skip
    body = {"id": "billed-flow", "name": "Billed", "version": "1.0.0", "tasks": tasks}
    version_of(api, api.post("/workflows", json=body, params={"wait": 25}))
    started = api.post("/workflows/billed-flow/runs", json={"input": {}, **CHARGED}).json()
    ended = end_of(api, started["id"])
    child = next(task["child"] for task in ended["tasks"] if task["task"] == "write")
    written = api.get(f"/runs/{child}").json()
    carried = laptop.history(execution_arn(api, ended["id"]))
    assert ended["aws"]["counts"]["transitions"] == count(carried).states_entered
    cost = ended["cost"]
    assert (cost["runs_usd_micros"], cost["runs_aws_usd_micros"]) == (
        written["totals"]["cost_usd_micros"],
        written["aws"]["usd_micros"],
    )
    line = next(
        line
        for line in api.get("/costs", params={"by": "workflow"}).json()["costs"]
        if line["workflow"] == "billed-flow"
    )
    assert (line["runs"], line["aws_usd_micros"]) == (1, cost["aws_usd_micros"])
    plan = api.get("/workflows/billed-flow/plan").json()["plan"]["aws"]
    assert plan["least_usd_micros"] <= cost["aws_usd_micros"] <= plan["most_usd_micros"]


def test_agents_side_by_side_keep_to_their_workflows_limit(
    api: httpx2.Client, laptop: Laptop, run: Run
) -> None:
    run(id="bound-writer", model="deep")
    tasks = [
        {"id": f"w{n}", "type": "agent", "agent": "bound-writer", "with": {"input": "hi"}} for n in range(4)
    ]
    limit = {"cost_limit_usd": "0.03", "on_error": "continue"}
    body = {"id": "bound-flow", "name": "Bound", "version": "1.0.0", "tasks": tasks, **limit}
    version_of(api, api.post("/workflows", json=body, params={"wait": 25}))
    ended = end_of(api, api.post("/workflows/bound-flow/runs", json={"input": {}}).json()["id"])
    found = [task.get("error", {}).get("code", "ok") for task in ended["tasks"]]
    assert "ok" in found
    assert set(found) <= {"ok", "BudgetExceeded"}
    key = {"pk": {"S": "T#acme#BUDGET"}, "sk": {"S": f"run#{ended['id']}#{ended['created_at'][:10]}"}}
    read = laptop.client("dynamodb").get_item(TableName="stepward-laptop-runtime", Key=key)["Item"]
    assert int(read["remaining"]["N"]) == 30_000 - ended["totals"]["cost_usd_micros"] > 0


def test_what_a_run_did_not_need_goes_back(api: httpx2.Client, run: Run, budget: Any) -> None:
    cost = run(id="frugal")["totals"]["cost_usd_micros"]
    budget("agent/frugal", "5")

    def once_more() -> int | None:
        api.post("/agents/frugal/runs", params={"wait": 25}, json={"input": "hello", **CHARGED})
        return _budget(api, "agent")["committed_usd_micros"] or None

    assert wait_for(once_more) == cost


def test_an_empty_budget_refuses_starts_and_is_told_once(
    api: httpx2.Client, laptop: Laptop, run: Run, budget: Any
) -> None:
    run(id="greedy")
    budget("agent/greedy", "0.02002")

    def one_too_many() -> httpx2.Response | None:
        answer = api.post("/agents/greedy/runs", params={"wait": 25}, json={"input": "hello", **CHARGED})
        return None if answer.status_code in (200, 202) else answer

    refused = wait_for(one_too_many)
    assert (refused.status_code, refused.json()["code"]) == (402, "BudgetExceeded")
    for _ in range(2):
        swept = laptop.client("lambda").invoke(FunctionName="stepward-laptop-janitor", Payload=b"{}")
        assert "FunctionError" not in swept, swept["Payload"].read()
    state = _budget(api, "agent")
    # The janitor's own round may have come while a run still held most of it, and told of 80 % first.
    assert "100" in state["alerts"]
    assert state["percent"] == 100
    log = (laptop.log_dir / "janitor.log").read_text()
    assert log.count("the budget of agent greedy is at 100 %") == 1
    raised = budget("agent/greedy", "5")
    assert raised["remaining_usd_micros"] > 4_900_000
    assert api.post("/agents/greedy/runs", json={"input": "hello", **CHARGED}).status_code == 202


def test_an_agreed_price_holds_for_the_calls_after_it(api: httpx2.Client) -> None:
    body = an_agent_body(id="priced", model="our-own:1b")
    refused = api.post("/agents", json=body)
    assert (refused.status_code, refused.json()["field"]) == (400, "model")
    assert api.put("/prices/our-own:1b", json=PRICE).status_code == 200
    try:
        assert api.post("/agents", json=body).status_code in (200, 201)
        said = api.post("/agents/priced/estimate", json={"input": "hello"}).json()
        assert said["least"]["model_usd_micros"] == 1000 * said["least"]["input_tokens"]
    finally:
        assert api.delete("/prices/our-own:1b").status_code == 200


def test_a_model_of_a_provider_of_ones_own_has_a_slash_in_its_id(api: httpx2.Client) -> None:
    coded = "/models/our-vllm%2Fmeta%2Fllama-4"
    assert api.get(coded).status_code == 404
    assert api.put("/prices/our-vllm%2Fmeta%2Fllama-4", json=PRICE).status_code == 200
    try:
        for path in (coded, "/models/our-vllm/meta/llama-4"):
            shown = api.get(path).json()
            assert (shown["id"], shown["provider"]) == ("our-vllm/meta/llama-4", "our-vllm")
        assert shown["price_agreed"] is True
    finally:
        assert api.delete("/prices/our-vllm/meta/llama-4").status_code == 200
    assert api.get(coded).status_code == 404
    listed = api.get("/models").json()
    assert listed["aliases"]["balanced"] in [one["id"] for one in listed["models"]]
    ended = api.post("/agents", json=an_agent_body(id="too-late", model="claude-sonnet-4-5"))
    assert (ended.status_code, ended.json()["field"]) == (400, "model")
    assert "claude-sonnet-5-5" in ended.json()["fix"]


def test_an_agent_may_ask_to_be_refused(api: httpx2.Client, run: Run) -> None:
    limits = {"cost_limit_usd": "0.001", "refuse_over_budget": True}
    api.post("/agents", json=an_agent_body(id="careful", limits=limits))
    said = api.post("/agents/careful/estimate", json={"input": "hello"}).json()
    assert said["would_be_refused"] is True
    refused = api.post("/agents/careful/runs", json={"input": "hello"})
    assert (refused.status_code, refused.json()["code"]) == (402, "BudgetExceeded")
    assert str(said["most"]["model_usd_micros"]) in refused.json()["detail"]
    assert api.get("/runs", params={"agent": "careful"}).json()["runs"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/budgets/day", {"limit_usd": -1}, 400),
        ("PUT", "/budgets/week", {"limit_usd": 1}, 400),
        ("PUT", "/budgets/agent/nobody", {"limit_usd": 1}, 404),
        ("DELETE", "/budgets/month", None, 404),
        ("PUT", "/limits", {"active": 500}, 403),
        ("GET", "/costs?by=colour", None, 400),
        ("GET", "/costs?from=2026-01-01&to=2026-12-31", None, 400),
        ("PUT", "/prices/fast", {**PRICE, "input_usd_per_mtok": -1}, 400),
        ("POST", "/agents/nobody/estimate", {"input": "x"}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    api: httpx2.Client, method: str, path: str, body: Any, status: int
) -> None:
    answer = api.request(method, path, json=body) if body else api.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.json()["field"]
    assert answer.json()["fix"]
