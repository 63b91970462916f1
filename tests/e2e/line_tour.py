"""What somebody does with the line, with teams of agents and with pauses, so that each word about them is needed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stepward.ports.run_machine import RESUME_CALL
from tests.local.patience import wait_for

RUNTIME = "stepward-laptop-runtime"
LARGE = "x" * 200_000
TASK = {"input": "What is it?"}


def hanging(tour: Any, *turns: dict[str, Any], tools: tuple[dict[str, Any], ...] = ()) -> str:
    """Start a run that waits some seconds for a web site before its other turns."""
    get = {"tool": "http_get", "config": {"allow": [tour.site]}, "timeout_s": 4}
    hang = {"call": [{"tool": "http_get", "arguments": {"url": f"{tour.site}/hang"}}]}
    run = str(tour.start(tour.agent(hang, *turns, tools=[get, *tools])))
    wait_for(lambda: "agent.tool.called" in tour.api.get(f"/runs/{run}/events").text or None)
    return run


def asking(child: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The turn in which an agent asks another one, and the tool for it."""
    return {"call": [{"tool": "ask", "arguments": arguments}]}, {"agent": child, "name": "ask"}


def ask(tour: Any, given: Any = "hello", arguments: dict[str, Any] | None = None) -> None:
    """Let an agent ask another one."""
    turn, tool = asking(tour.agent(), TASK if arguments is None else arguments)
    run = tour.start(tour.agent(turn, tools=[tool]), given)
    _refused_then_cancelled(tour, run)


def ask_without_a_slot(tour: Any) -> None:
    """Let an agent ask another one at a time when no slot is free."""
    turn, tool = asking(tour.agent(), TASK)
    run = hanging(tour, turn, tools=(tool,))
    with no_slot_free(tour):
        _refused_then_cancelled(tour, run)


def asked_one_is_stopped(tour: Any) -> None:
    """Stop the execution of a run that another one waits for."""
    get = {"tool": "http_get", "config": {"allow": [tour.site]}}
    hang = {"call": [{"tool": "http_get", "arguments": {"url": f"{tour.site}/hang"}}]}
    child = tour.agent(hang, tools=[get])
    turn, tool = asking(child, TASK)
    run = tour.start(tour.agent(turn, tools=[tool]))
    asked = wait_for(lambda: next(iter(_runs_of(tour, child)), None))
    wait_for(lambda: "agent.tool.called" in tour.api.get(f"/runs/{asked}/events").text or None)
    tour.stop(asked)
    _refused_then_cancelled(tour, run)


def go_on_in_another_execution(tour: Any) -> None:
    """Ask for a run's next step as an execution does whose history is full, with the turn's call given up."""
    run = tour.waiting()
    seen = tour.api.get(f"/runs/{run}/events").json()["events"]
    turn = next(event["seq"] for event in seen if event["type"] == "agent.tool.called")
    asks = {"v": 1, "tenant": "acme", "run": run, "execution": f"{run}.1", "called": turn, "spent": 20_000}
    tour.laptop.client("lambda").invoke(
        FunctionName="stepward-laptop-agent-advance", Payload=json.dumps(asks)
    )


def end_before_others(tour: Any) -> None:
    """Let a run end while another one stands in line."""
    hanging(tour)
    with no_slot_free(tour):
        tour.start()
        until_refused(tour)


def stop_before_others(tour: Any) -> None:
    """Stop the execution of a run while another one stands in line."""
    run = tour.waiting()
    with no_slot_free(tour):
        tour.start()
        tour.stop(run)
        until_refused(tour)


def start_without_a_slot(tour: Any) -> None:
    """Start a run that has to stand in line."""
    with no_slot_free(tour):
        tour.start()
        until_refused(tour)


def start_workflow_without_a_slot(tour: Any) -> None:
    """Start a workflow's run that has to stand in the queue."""
    make = {"id": "make", "type": "transform", "output": 1}
    body = {"id": "queueing", "name": "Queueing", "version": "1.0.0", "tasks": [make]}
    tour.api.post("/workflows", json=body, params={"wait": 25})
    with no_slot_free(tour):
        tour.api.post("/workflows/queueing/runs", json={})
        until_refused(tour)


def sweep_the_line(tour: Any) -> None:
    """Let the janitor find a run that is in the run queue for a long time already."""
    with no_slot_free(tour):
        tour.sweep(tour.start())
        until_refused(tour)


def resume(tour: Any) -> None:
    """Resume a paused run."""
    run = paused(tour)
    tour.api.post(f"/runs/{run}/resume")
    _refused_then_cancelled(tour, run)


def resume_half(tour: Any) -> None:
    """Let the janitor find a run that was resumed and not woken: the API may not end waits for a moment."""
    run = paused(tour)
    with tour.without("runs_api", "agent-run:answer"):
        tour.api.post(f"/runs/{run}/resume")
    tour.laptop.guard.refused.clear()
    tour.sweep(run)


def paused(tour: Any) -> str:
    """Start a run and pause it, until its machine waits for the word to go on."""
    run = hanging(tour)
    tour.api.post(f"/runs/{run}/pause")
    key = {"pk": {"S": f"T#acme#R#{run}"}, "sk": {"S": f"TOKEN#{RESUME_CALL}"}}
    dynamodb = tour.laptop.client("dynamodb")
    wait_for(lambda: dynamodb.get_item(TableName=RUNTIME, Key=key).get("Item"))
    return run


def until_refused(tour: Any) -> None:
    """Wait until somebody was refused something."""
    wait_for(lambda: set(tour.laptop.guard.refused) or None)


@contextmanager
def no_slot_free(tour: Any) -> Iterator[None]:
    """For a moment it looks as if the tenant had very many active runs; afterwards newcomers find slots again."""
    _count_active(tour, 1_000)
    try:
        yield
    finally:
        _count_active(tour, -1_000)
        agent = tour.agent()
        wait_for(lambda: _finds_a_slot(tour, agent), 40)


def _finds_a_slot(tour: Any, agent: str) -> bool | None:
    """Have the line looked at until nobody asks for a slot any more, then see whether a newcomer gets one.

    A newcomer before that would stand in line itself, so that the line would never end.
    """
    tour.laptop.client("sqs").send_message(
        QueueUrl=tour.laptop.client("sqs").get_queue_url(QueueName="stepward-laptop-dispatch")["QueueUrl"],
        MessageBody='{"tenant": "acme", "freed": null}',
        MessageGroupId="acme",
    )
    if any(_is_asked(tour, counter) for counter in ("T#acme#SLOTS", "GLOBAL#SLOTS")):
        return None
    started = tour.api.post(f"/agents/{agent}/runs", params={"wait": 2}, json={"input": "hello"}).json()
    if started.get("status") != "COMPLETED":
        return None
    return "agent.run.admitted" not in tour.api.get(f"/runs/{started['id']}/events").text or None


def _is_asked(tour: Any, counter: str) -> bool:
    key = {"pk": {"S": counter}, "sk": {"S": "SHARD#0"}}
    found = tour.laptop.client("dynamodb").get_item(TableName=RUNTIME, Key=key, ConsistentRead=True)
    return "waits" in found.get("Item", {})


def _count_active(tour: Any, more: int) -> None:
    tour.laptop.client("dynamodb").update_item(
        TableName=RUNTIME,
        Key={"pk": {"S": "T#acme#SLOTS"}, "sk": {"S": "SHARD#0"}},
        UpdateExpression="ADD active :more",
        ExpressionAttributeValues={":more": {"N": str(more)}},
    )


def _refused_then_cancelled(tour: Any, run: str) -> None:
    """Let what was refused be the last thing that a run has met."""
    until_refused(tour)
    tour.api.post(f"/runs/{run}/cancel")


def _runs_of(tour: Any, agent: str) -> list[str]:
    return [run["id"] for run in tour.api.get("/runs", params={"agent": agent}).json()["runs"]]


LINE_USES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("agent_advance", "agent-run:start"): go_on_in_another_execution,
    ("agent_advance", "agent-run:answer"): ask,
    ("agent_advance", "dispatch:send"): end_before_others,
    ("dispatch", "journal:append"): ask,
    ("dispatch", "journal:read"): ask,
    ("dispatch", "runtime:read-write"): ask,
    ("dispatch", "registry:read"): ask,
    ("dispatch", "blobs:read-write"): lambda tour: ask(tour, LARGE),
    ("dispatch", "agent-run:start"): ask,
    ("dispatch", "agent-run:answer"): lambda tour: ask(tour, arguments={}),
    ("dispatch", "dispatch:send"): ask_without_a_slot,
    ("janitor", "agent-run:answer"): resume_half,
    ("janitor", "dispatch:send"): sweep_the_line,
    ("run_closer", "agent-run:answer"): asked_one_is_stopped,
    ("run_closer", "dispatch:send"): stop_before_others,
    ("runs_api", "agent-run:answer"): resume,
    ("runs_api", "dispatch:send"): start_without_a_slot,
    ("workflows_api", "dispatch:send"): start_workflow_without_a_slot,
}
