"""What somebody does with workflows whose state machine is gone, so that each word for having it made again is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.e2e.executions import machine_arn
from tests.e2e.line_tour import until_refused
from tests.e2e.trigger_tour import as_tool, call_in, upload
from tests.e2e.undoing_tour import to_be_undone
from tests.e2e.workflow_tour import MAKE, begin, cancel, execution, register, stop, waiting

CLOSER = "stepward-laptop-run-closer"


def take_away(tour: Any, workflow: str) -> str:
    """Delete the state machine of a workflow behind its back; name the workflow."""
    tour.laptop.client("stepfunctions").delete_state_machine(stateMachineArn=machine_arn(tour.api, workflow))
    return workflow


def gone(tour: Any) -> str:
    """Keep a workflow of its own that has no state machine any more."""
    return take_away(tour, register(tour, MAKE))


def call_gone(tour: Any) -> None:
    """Let a task run a workflow that has no machine."""
    begin(tour, {"id": "pass", "type": "subworkflow", "workflow": gone(tour)})


def run_again_gone(tour: Any) -> None:
    """Run again what was cancelled, after its machine was taken away."""
    cancel(tour, run := waiting(tour))
    take_away(tour, tour.api.get(f"/runs/{run}").json()["workflow"])
    tour.api.post(f"/runs/{run}/rerun")


def sweep_unstarted(tour: Any, *, is_gone: bool = False) -> None:
    """Let the janitor find a run that could not be started: the API may not start executions for a moment."""
    workflow = register(tour, MAKE)
    with tour.without("workflows_api", "workflows:start"):
        tour.api.post(f"/workflows/{workflow}/runs", json={})
    if is_gone:
        take_away(tour, workflow)
    tour.laptop.guard.refused.clear()
    tour.sweep(tour.api.get(f"/workflows/{workflow}/runs").json()["runs"][0]["id"])


def undo_gone(tour: Any) -> None:
    """Tell of the end of an execution that has to be undone by another one, for which there is no machine."""
    run = to_be_undone(tour)
    states, arn = tour.laptop.client("stepfunctions"), execution(tour, run)
    # Who closes runs must hear of the end after the machine has gone: on a laptop its executions go with it.
    with tour.unheard():
        stop(tour, run)
        ended = states.describe_execution(executionArn=arn)
        take_away(tour, tour.api.get(f"/runs/{run}").json()["workflow"])
    detail = {name: ended[name] for name in ("executionArn", "name", "status", "input")}
    event = json.dumps({"source": "aws.states", "detail": detail}).encode()
    tour.laptop.client("lambda").invoke(FunctionName=CLOSER, Payload=event)
    until_refused(tour)
    cancel(tour, run)


def register_again(tour: Any) -> None:
    """Register what is registered: it is looked at whether its machine is still there."""
    name = register(tour, MAKE)
    tour.api.post("/workflows", json={"id": name, "name": "Tour", "version": "1.0.0", "tasks": [MAKE]})


MACHINE_USES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("dispatch", "workflows:order"): lambda tour: as_tool(tour, gone(tour)),
    ("janitor", "workflows:start"): sweep_unstarted,
    ("janitor", "workflows:order"): lambda tour: sweep_unstarted(tour, is_gone=True),
    ("run_closer", "workflows:order"): undo_gone,
    ("runs_api", "workflows:order"): run_again_gone,
    ("task_run", "workflows:order"): call_gone,
    ("trigger_events", "workflows:order"): lambda tour: upload(tour, workflow=gone(tour)),
    ("webhooks", "workflows:order"): lambda tour: call_in(tour, workflow=gone(tour)),
    ("workflows_api", "workflows:inspect"): register_again,
}
