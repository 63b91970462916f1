"""Start runs of agents, and fork them."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.http import answer, body_of, caller, query_of, routes
from stepward.runtime.long_poll import until_ended, wait_of

router = routes()


@router.post("/agents/<agent_id>/runs")
def start_run(agent_id: str) -> Response[str]:
    """Start a run of an agent; `wait` is how many seconds to wait for its end, at most 25.

    Args:
        agent_id: The agent's id, or its `uid`.

    Returns:
        202 with the run, or 200 once it has ended.

    Raises:
        NotFound: There is no such agent or version.
        InvalidRequest: The body is invalid, or the input does not fit.
        BudgetExceeded: The agent refuses starts over its budgets.
    """
    event = router.current_event
    by, seconds, body = caller(event), wait_of(query_of(event).get("wait")), body_of(event)
    head, is_new = container.runs.start(by, agent_id, body, event.headers.get("idempotency-key"))
    if is_new and not seconds:
        return _started(container.runs.new_view(head, body["input"]))
    return _started(until_ended(lambda: container.runs.show.detail(by.tenant, head.run), seconds))


@router.post("/runs/<run_id>/fork")
def fork_run(run_id: str) -> Response[str]:
    """Start a run that goes on from a turn of another one; `wait` as for a start.

    Args:
        run_id: The run's id.

    Returns:
        202 with the new run, or 200 once it has ended.

    Raises:
        NotFound: There is no such run.
        InvalidRequest: The turn or a result cannot be taken.
    """
    event = router.current_event
    by, seconds, body = caller(event), wait_of(query_of(event).get("wait")), body_of(event)
    key = event.headers.get("idempotency-key")
    with container.workflow_runs.list_all.of_kind("agent", by.tenant, run_id):
        head, given, is_new = container.runs.fork(by, run_id, body, key)
    if is_new and not seconds:
        return _started(container.runs.new_view(head, given))
    return _started(until_ended(lambda: container.runs.show.detail(by.tenant, head.run), seconds))


def _started(run: dict[str, Any]) -> Response[str]:
    return answer(200 if run["ended_at"] else 202, run, {"Location": f"/runs/{run['id']}"})
