"""What somebody does with workflows, so that each word of the rooms that carry, answer and end them is needed once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from tests.e2e.executions import execution_arn, executions_of
from tests.e2e.line_tour import no_slot_free, until_refused
from tests.local.patience import wait_for

JANITOR = "stepward-laptop-janitor"
MAKE = {"id": "make", "type": "transform", "output": 1}
TELL = {"id": "tell", "type": "event", "event": "made"}
ALLOW = {"id": "allow", "type": "human", "question": "May I?", "not_requester": False, "timeout_s": 600}
SKIP = {**ALLOW, "when": "{% $input.asked = true %}"}
CALL = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}
POLICY = {
    "id": "look",
    "type": "tool",
    "tool": "policy_lookup",
    "config": {"source": "datasets/refund-policy.json"},
    "with": {"topic": "refunds"},
}


def register(tour: Any, *tasks: dict[str, Any], wait_s: int = 10) -> str:
    """Keep a workflow of its own: rooms remember programs, for versions never change."""
    name = f"tour-{uuid.uuid4().hex[:12]}"
    body = {"id": name, "name": "Tour", "version": "1.0.0", "tasks": list(tasks)}
    tour.api.post("/workflows", json=body, params={"wait": wait_s})
    return name


def start(tour: Any, *tasks: dict[str, Any]) -> str:
    """Start a run of such tasks."""
    workflow = register(tour, *tasks)
    wait_for(lambda: tour.api.get(f"/workflows/{workflow}").json().get("status") == "READY" or None, 60)
    answer = tour.api.post(f"/workflows/{workflow}/runs", json={})
    return str(answer.json().get("id", ""))


def until_it_waits(tour: Any, run: str) -> dict[str, Any]:
    """Wait until the machine itself waits for an answer to the run's only task: an earlier one would need no waking."""
    arn, states = execution(tour, run), tour.laptop.client("stepfunctions")

    def is_submitted() -> bool | None:
        events = states.get_execution_history(executionArn=arn)["events"]
        return any(event["type"] == "TaskSubmitted" for event in events) or None

    wait_for(is_submitted)
    task: dict[str, Any] = tour.api.get(f"/runs/{run}").json()["tasks"][0]
    return task


def execution(tour: Any, run: str) -> str:
    """Spell the execution that carries a run."""
    return execution_arn(tour.api, run)


def waiting(tour: Any) -> str:
    """Start a run that waits for a call."""
    run = start(tour, CALL)
    until_it_waits(tour, run)
    return run


def with_agent(tour: Any, *, waits: bool) -> dict[str, Any]:
    """Make the task of an agent, which answers at once or asks a person first."""
    turn = {"call": [{"tool": "ask_person", "arguments": {"question": "May I?"}}]}
    agent = tour.agent(*([turn] if waits else []), tools=[{"tool": "ask_person"}] if waits else [])
    return {"id": "ask", "type": "agent", "agent": agent}


def with_workflow(tour: Any, *tasks: dict[str, Any]) -> dict[str, Any]:
    """Make the task of another workflow."""
    return {"id": "pass", "type": "subworkflow", "workflow": register(tour, *tasks)}


def asked_agent(tour: Any) -> tuple[str, str]:
    """Start a run whose agent waits for a person; name the run and the agent's."""
    run = start(tour, with_agent(tour, waits=True))
    child = str(until_it_waits(tour, run)["child"])
    wait_for(lambda: tour.api.get(f"/runs/{child}").json().get("status") == "WAITING" or None)
    return run, child


def asked_workflow(tour: Any) -> tuple[str, str]:
    """Start a run whose other workflow waits for a call; name the run and the other's."""
    run = start(tour, with_workflow(tour, CALL))
    child = str(until_it_waits(tour, run)["child"])
    until_it_waits(tour, child)
    return run, child


def cancel(tour: Any, run: str) -> None:
    """Say that nobody wants the run any more."""
    tour.api.post(f"/runs/{run}/cancel")


def decide(tour: Any, run: str) -> None:
    """Say yes to what a run's task asks."""
    until_it_waits(tour, run)
    tour.api.post(f"/approvals/{run}.allow-1/decision", json={"decision": "approve"})


def call_back(tour: Any) -> None:
    """Call the address that a task waits at."""
    task = until_it_waits(tour, run := start(tour, CALL))
    tour.api.post(task["callback"], json={"ok": True})
    until_refused(tour)
    cancel(tour, run)


def run_again(tour: Any) -> None:
    """Run again what was cancelled."""
    cancel(tour, run := waiting(tour))
    tour.api.post(f"/runs/{run}/rerun")


def begin(tour: Any, *tasks: dict[str, Any]) -> None:
    """Start a run; whatever is refused must not keep it waiting for long."""
    run = start(tour, *tasks)
    until_refused(tour)
    cancel(tour, run)


def begin_in_line(tour: Any) -> None:
    """Let a run come to its agent when no slot is free: the agent has to stand in line, not the run."""
    task = {**with_agent(tour, waits=False), "needs": ["call"]}
    call = until_it_waits(tour, run := start(tour, CALL, task))
    with no_slot_free(tour):
        tour.api.post(call["callback"], json={"ok": True})
        until_refused(tour)
    cancel(tour, run)


def call_from_agent(tour: Any) -> None:
    """Let an agent run a workflow."""
    tool = {"tool": "workflow", "config": {"workflow": register(tour, MAKE)}}
    run = tour.call(tool, input="hello")
    until_refused(tour)
    cancel(tour, run)


def stop(tour: Any, run: str) -> None:
    """Stop a run's execution behind its back."""
    tour.laptop.client("stepfunctions").stop_execution(executionArn=execution(tour, run))


def chunk_of(tour: Any, run: str, number: int) -> str | None:
    """Name the execution that carries one of a run's chunks, once it runs."""
    machine = execution(tour, run).replace(":execution:", ":stateMachine:").rpartition(":")[0]
    found = executions_of(tour.laptop, machine, f"{run}.1.", statusFilter="RUNNING")
    chunks = sorted(one["executionArn"] for one in found)
    return str(chunks[number]) if len(chunks) > number else None


def in_chunks(tour: Any) -> tuple[str, str]:
    """Start a run whose two items wait for calls, in a chunk each; name it and the execution of the first."""
    each = {"id": "each", "type": "foreach", "items": [1, 2], "chunk_size": 1, "tasks": [CALL]}
    run = start(tour, each)
    wait_for(lambda: chunk_of(tour, run, 1))
    return run, str(chunk_of(tour, run, 0))


def look_at_chunk(tour: Any) -> None:
    """Stop a chunk's execution: its state is entered again, and looks how the next one stands."""
    run, chunk = in_chunks(tour)
    tour.laptop.client("stepfunctions").stop_execution(executionArn=chunk)
    until_refused(tour)
    cancel(tour, run)


def fail_beside_chunk(tour: Any) -> None:
    """Let one item fail while the other waits, in an execution that has to be stopped then."""
    call = {**CALL, "when": "{% $item = 1 %}"}
    bad = {"id": "bad", "type": "transform", "needs": [], "output": "{% $item = 2 ? $error('no') : 1 %}"}
    pause = {"id": "pause", "type": "wait", "seconds": 1}
    each = {"id": "each", "type": "foreach", "items": [1, 2], "chunk_size": 1}
    run = start(tour, {**each, "tasks": [call, pause, {**bad, "needs": ["pause"]}]})
    until_refused(tour)
    cancel(tour, run)


def stop_agents(tour: Any) -> None:
    """Stop the execution of an agent's run that a task waits for."""
    run, child = asked_agent(tour)
    tour.stop(child)
    until_refused(tour)
    cancel(tour, run)


def close(tour: Any, asked: Callable[[Any], tuple[str, str]]) -> None:
    """Stop a run's execution while its task waits for somebody, who is not wanted any more then."""
    run, child = asked(tour)
    stop(tour, run)
    until_refused(tour)
    tour.stop(child)


def sweep_closed(tour: Any, asked: Callable[[Any], tuple[str, str]]) -> None:
    """Let the janitor find such a run, because the other room was not told."""
    with tour.unheard():
        run, child = asked(tour)
        stop(tour, run)
        tour.sweep(run)
    tour.stop(child)


def sweep_decided(tour: Any) -> None:
    """Let the janitor find a decision of which its task has not heard."""
    run = start(tour, ALLOW)
    with tour.without("approvals_api", "workflows:answer"):
        decide(tour, run)
    tour.laptop.guard.refused.clear()
    tour.laptop.client("lambda").invoke(FunctionName=JANITOR, Payload=b"{}")


def order(tour: Any, **said: str) -> None:
    """Order of the room that makes machines, and wait for it: an order that nobody waits for is tried for minutes."""
    room = "stepward-laptop-workflow-publisher"
    tour.laptop.client("lambda").invoke(FunctionName=room, Payload=json.dumps(said).encode())


def order_anew(tour: Any) -> None:
    """Order a machine that is ordered already: nobody waits until that one is made."""
    order(tour, tenant="acme", workflow=register(tour, MAKE, wait_s=0), version="1.0.0")


WORKFLOW_USES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("agent_advance", "workflows:answer"): lambda tour: begin(tour, with_agent(tour, waits=False)),
    ("approvals_api", "registry:read"): lambda tour: decide(tour, start(tour, ALLOW)),
    ("approvals_api", "blobs:read-write"): lambda tour: decide(tour, start(tour, ALLOW)),
    ("approvals_api", "workflows:answer"): lambda tour: decide(tour, start(tour, ALLOW)),
    ("callbacks", "journal:append"): call_back,
    ("callbacks", "journal:read"): call_back,
    ("callbacks", "runtime:get"): call_back,
    ("callbacks", "registry:get"): call_back,
    ("callbacks", "blobs:read-write"): call_back,
    ("callbacks", "workflows:answer"): call_back,
    ("dispatch", "workflows:start"): call_from_agent,
    ("janitor", "registry:read"): sweep_decided,
    ("janitor", "workflows:answer"): sweep_decided,
    ("janitor", "workflows:describe"): lambda tour: tour.sweep(waiting(tour)),
    ("janitor", "agent-run:stop"): lambda tour: sweep_closed(tour, asked_agent),
    ("janitor", "workflows:stop"): lambda tour: sweep_closed(tour, asked_workflow),
    ("run_closer", "registry:read"): stop_agents,
    ("run_closer", "workflows:answer"): stop_agents,
    ("run_closer", "agent-run:stop"): lambda tour: close(tour, asked_agent),
    ("run_closer", "workflows:stop"): lambda tour: close(tour, asked_workflow),
    ("run_closer", "events:put"): lambda tour: stop(tour, waiting(tour)),
    ("runs_api", "workflows:answer"): lambda tour: cancel(tour, asked_agent(tour)[1]),
    ("runs_api", "events:put"): lambda tour: cancel(tour, waiting(tour)),
    ("runs_api", "workflows:start"): run_again,
    ("runs_api", "workflows:stop"): lambda tour: cancel(tour, waiting(tour)),
    ("task_run", "journal:append"): lambda tour: begin(tour, MAKE),
    ("task_run", "journal:read"): lambda tour: begin(tour, MAKE),
    ("task_run", "runtime:read-write"): lambda tour: begin(tour, MAKE),
    ("task_run", "runtime:check"): lambda tour: begin(tour, ALLOW),
    ("task_run", "registry:read"): lambda tour: begin(tour, MAKE),
    ("task_run", "data:read"): lambda tour: begin(tour, POLICY),
    ("task_run", "blobs:read-write"): lambda tour: begin(tour, MAKE),
    ("task_run", "limits:read-write"): lambda tour: begin(
        tour, {"id": "get", "type": "webhook", "url": f"{tour.site}/fine", "timeout_s": 10}
    ),
    ("task_run", "agent-run:start"): lambda tour: begin(tour, with_agent(tour, waits=False)),
    ("task_run", "agent-run:answer"): call_from_agent,
    ("task_run", "dispatch:send"): begin_in_line,
    ("task_run", "events:put"): lambda tour: begin(tour, MAKE),
    ("task_run", "bus:put"): lambda tour: begin(tour, TELL),
    ("task_run", "workflows:start"): lambda tour: begin(tour, with_workflow(tour, MAKE)),
    ("task_run", "workflows:describe"): look_at_chunk,
    ("task_run", "workflows:stop"): fail_beside_chunk,
    ("task_run", "workflows:answer"): lambda tour: begin(tour, SKIP),
    ("workflow_publisher", "registry:read-write"): order_anew,
    ("workflow_publisher", "blobs:read-write"): order_anew,
    ("workflow_publisher", "workflows:publish"): lambda tour: order(tour, discard="0" * 40),
    ("workflows_api", "registry:read-write"): lambda tour: tour.api.get("/workflows"),
    ("workflows_api", "blobs:read-write"): lambda tour: register(tour, MAKE),
    ("workflows_api", "journal:append"): lambda tour: start(tour, MAKE),
    ("workflows_api", "journal:read"): lambda tour: start(tour, MAKE),
    ("workflows_api", "runtime:read-write"): lambda tour: start(tour, MAKE),
    ("workflows_api", "workflows:order"): lambda tour: register(tour, MAKE),
    ("workflows_api", "workflows:start"): lambda tour: start(tour, MAKE),
}
