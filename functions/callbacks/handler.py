"""Take calls from outside for tasks that wait for one."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, http_app, routes

router = routes()


@router.post("/callbacks/<tenant>/<run_id>/<task>/<secret>")
def receive_call(tenant: str, run_id: str, task: str, secret: str) -> Response[str]:
    """Bring a body to a task that waits for a call; no body brings null.

    Args:
        tenant: The tenant's id.
        run_id: The run's id.
        task: The task's id.
        secret: The secret of the address.

    Returns:
        200 once the task has it.

    Raises:
        NotFound: No task waits at this address.
        InvalidRequest: The body cannot be read.
    """
    event = router.current_event
    given = body_of(event) if event.body else None
    return answer(200, container.workflow_runs.receive_call(tenant, run_id, unquote(task), secret, given))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("call received")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
