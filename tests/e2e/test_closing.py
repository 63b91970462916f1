"""Runs whose machine is gone are closed, and starts that were lost are made again, by the real rooms."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.e2e.ends import end_of, run_of
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop


def test_a_stopped_execution_closes_its_run_by_its_event(
    api: httpx2.Client, laptop: Laptop, site: str
) -> None:
    slow = {
        "turns": [{"call": [{"tool": "http_get", "arguments": {"url": f"{site}/hang"}}]}, {"say": "Late."}]
    }
    body = an_agent_body(
        id="orphan", tools=[{"tool": "http_get", "config": {"allow": [site]}}], rehearsal=slow
    )
    api.post("/agents", json=body)
    run_id = api.post("/agents/orphan/runs", json={"input": "x"}).json()["id"]
    wait_for(lambda: "tool.called" in api.get(f"/runs/{run_id}/events").text or None)
    arn = laptop.execution_arn(f"{run_id}.1")
    laptop.client("stepfunctions").stop_execution(executionArn=arn, error="Operator", cause="by hand")
    run = end_of(api, run_id)
    assert (run["status"], run["error"]["code"]) == ("FAILED", "Operator")
    assert "by hand" in run["error"]["detail"]


def test_a_lost_start_is_made_again_by_the_janitor(api: httpx2.Client, laptop: Laptop) -> None:
    """The transaction was written, then the function died: head and first record are there, no execution is."""
    api.post("/agents", json=an_agent_body(id="foundling"))
    donor = run_of(api, api.post("/agents/foundling/runs", params={"wait": 20}, json={"input": "x"}))
    run_id = donor["id"][:-4] + "0000"
    dynamodb = laptop.client("dynamodb")
    _copy(dynamodb, laptop.physical_id("AWS::DynamoDB::Table", "-journal"), donor["id"], run_id, "0000000001")
    runtime = laptop.physical_id("AWS::DynamoDB::Table", "-runtime")
    _take_slot(dynamodb, runtime, run_id)
    head = _copy(dynamodb, runtime, donor["id"], run_id, "HEAD")
    assert "gsi3pk" in head
    answer = laptop.client("lambda").invoke(FunctionName="stepward-laptop-janitor", Payload=b"{}")
    # The round of that minute may have been first: who has started it is not said here.
    assert "FunctionError" not in answer, answer["Payload"].read()
    run = end_of(api, run_id)
    assert (run["status"], run["output"]) == ("COMPLETED", "Done.")
    wait_for(lambda: _head_of(dynamodb, runtime, run_id).get("ended_at"))
    again = laptop.client("lambda").invoke(FunctionName="stepward-laptop-janitor", Payload=b"{}")
    assert "FunctionError" not in again, again["Payload"].read()


def _take_slot(dynamodb: Any, table: str, run_id: str) -> None:
    """Count the run as active, which its start has done in the same transaction."""
    shard = {"tenant_shard": {"N": "0"}, "account_shard": {"N": "0"}}
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "T#acme#SLOT"}, "sk": {"S": f"R#{run_id}"}, **shard})
    for counter in ("T#acme#SLOTS", "GLOBAL#SLOTS"):
        dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": counter}, "sk": {"S": "SHARD#0"}},
            UpdateExpression="ADD active :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )


def _head_of(dynamodb: Any, table: str, run_id: str) -> dict[str, Any]:
    key = {"pk": {"S": f"T#acme#R#{run_id}"}, "sk": {"S": "HEAD"}}
    found: dict[str, Any] = dynamodb.get_item(TableName=table, Key=key)["Item"]
    return found


def _copy(dynamodb: Any, table: str, old: str, new: str, sk: str) -> dict[str, Any]:
    """Write an item as it was when the run had just been started, an hour ago, under another run's name."""
    key = {"pk": {"S": f"T#acme#R#{old}"}, "sk": {"S": sk}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    for ended in ("ended_at", "ended_seq", "totals_seq", "error"):
        item.pop(ended, None)
    item = json.loads(json.dumps(item).replace(old, new))
    if sk == "HEAD":
        long_ago = "2026-01-01T00:00:00.000Z"
        item |= {"status": {"S": "RUNNING"}, "created_at": {"S": long_ago}, "gsi3pk": {"S": "OPEN#0"}}
        item |= {"gsi3sk": {"S": f"{long_ago}#{new}"}}
    dynamodb.put_item(TableName=table, Item=item)
    found: dict[str, Any] = item
    return found


def test_the_janitor_runs_by_its_schedule(laptop: Laptop) -> None:
    rules = laptop.client("events").list_rules()["Rules"]
    assert "rate(1 minute)" in {rule.get("ScheduleExpression") for rule in rules}
