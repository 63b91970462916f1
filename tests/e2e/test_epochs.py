"""A run that is longer than one execution's history, on the real machine: it goes on in another, and ends as if in one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.e2e.ends import run_of
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

MOST_EVENTS = 30
LOOK_UP = {"tool": "policy_lookup", "arguments": {"topic": "books"}}
TOOLS = [{"tool": "policy_lookup", "config": {"source": "datasets/refund-policy.json"}}]
ANSWER = {"say": "{% $string($count($results)) & ' results' %}"}


@pytest.fixture
def short_executions(laptop: Laptop) -> Iterator[None]:
    """Let executions hand their runs over early; for all runs of the laptop, which may well be."""
    (spec,) = [spec for spec in laptop.executor.functions() if spec.short_name == "agent_advance"]
    environment = {**spec.environment, "EPOCH_EVENTS": str(MOST_EVENTS)}
    laptop.executor.register(replace(spec, environment=environment))
    yield
    laptop.executor.register(spec)


def test_a_long_run_goes_on_in_new_executions(
    laptop: Laptop, api: httpx2.Client, short_executions: None
) -> None:
    turns = [{"call": [LOOK_UP, LOOK_UP]}] * 2
    body = an_agent_body(id="long", tools=TOOLS, rehearsal={"turns": [*turns, ANSWER]})
    assert api.post("/agents", json=body).status_code == 201
    run = run_of(api, api.post("/agents/long/runs", params={"wait": 25}, json={"input": "hello"}))
    assert (run["status"], run["output"]) == ("COMPLETED", "4 results")
    histories = [history_of(laptop, run["id"], epoch) for epoch in (1, 2, 3)]
    entered = sum(event["type"].endswith("StateEntered") for history in histories for event in history)
    assert run["aws"]["counts"]["transitions"] == entered
    for history in histories:
        entered_at = [event["id"] for event in history if _enters_advance(event)]
        # The history has one event before all states, AdvanceRun's own first one, and six that are counted ahead.
        assert [spent - 7 for spent in _told(history)] == [event - 2 for event in entered_at]


def _enters_advance(event: dict[str, Any]) -> bool:
    entered: str = event.get("stateEnteredEventDetails", {}).get("name", "")
    return entered == "AdvanceRun"


def _told(history: list[dict[str, Any]]) -> list[int]:
    """What the machine has told `agent_advance` of the events so far."""
    scheduled = [event for event in history if event["type"] == "TaskScheduled"]
    payloads = [
        json.loads(event["taskScheduledEventDetails"]["parameters"])["Payload"] for event in scheduled
    ]
    return [payload["spent"] for payload in payloads if "spent" in payload]


def history_of(laptop: Laptop, run: str, epoch: int) -> list[dict[str, Any]]:
    """Read the history of one of a run's executions, once it is over."""
    arn = laptop.execution_arn(f"{run}.{epoch}")
    states = laptop.client("stepfunctions")
    wait_for(lambda: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED" or None)
    return laptop.history(arn)
