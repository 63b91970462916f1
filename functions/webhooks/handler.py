"""Start what webhooks name, by calls from outside that a trigger's secret has signed."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, bytes_of, http_app, routes

router = routes()


@router.post("/hooks/<tenant>/<trigger_id>")
def receive_webhook(tenant: str, trigger_id: str) -> Response[str]:
    """Start what a trigger names by a signed call.

    Args:
        tenant: The tenant's id.
        trigger_id: The trigger's id.

    Returns:
        202 with the run, or 200 with the run that the same `webhook-id` started.

    Raises:
        NotAuthenticated: The signature is not good.
        InvalidRequest: The body cannot be read.
    """
    event = router.current_event
    fired = container.triggers.receive_webhook(tenant, trigger_id, event.headers, bytes_of(event))
    body = {"run": fired.run.run if fired.run else None, "is_new": fired.is_new}
    return answer(202 if fired.is_new else 200, body)


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("webhook received")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one call."""
    return app.resolve(event, context)
