"""Serve the triggers' part of the API: define, show, test, fire and remove them."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, caller, http_app, query_of, routes

router = routes()


@router.post("/triggers")
def add_trigger() -> Response[str]:
    """Create a trigger.

    Returns:
        201 for a new one, with a webhook's secret; 200 for one that was there with the same fields.

    Raises:
        InvalidRequest: A field is invalid.
        Conflict: It is there with other fields.
    """
    event = router.current_event
    defined = container.triggers.define.add(caller(event), body_of(event))
    where = {"Location": f"/triggers/{defined.kept.trigger.id}"}
    return answer(201 if defined.is_new else 200, container.triggers.view(defined), where)


@router.get("/triggers")
def list_triggers() -> Response[str]:
    """List triggers by id.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    event = router.current_event
    return answer(200, container.triggers.show.list(caller(event).tenant, query_of(event)))


@router.get("/triggers/<trigger_id>")
def show_trigger(trigger_id: str) -> Response[str]:
    """Show a trigger with what it did, and when it fires next.

    Args:
        trigger_id: The trigger's id.

    Returns:
        200 with the trigger.

    Raises:
        NotFound: There is no such trigger.
    """
    return answer(200, container.triggers.show.detail(caller(router.current_event).tenant, trigger_id))


@router.put("/triggers/<trigger_id>")
def replace_trigger(trigger_id: str) -> Response[str]:
    """Replace a trigger's fields; its id and kind stay.

    Args:
        trigger_id: The trigger's id.

    Returns:
        200 with the trigger.

    Raises:
        NotFound: There is no such trigger.
        InvalidRequest: A field is invalid.
    """
    event = router.current_event
    defined = container.triggers.define.replace(caller(event), trigger_id, body_of(event))
    return answer(200, container.triggers.view(defined))


@router.delete("/triggers/<trigger_id>")
def remove_trigger(trigger_id: str) -> Response[str]:
    """Remove a trigger; runs that it started go on.

    Args:
        trigger_id: The trigger's id.

    Returns:
        200.

    Raises:
        NotFound: There is no such trigger.
    """
    container.triggers.define.remove(caller(router.current_event), trigger_id)
    return answer(200, {"id": trigger_id, "removed": True})


@router.post("/triggers/<trigger_id>/secret")
def rotate_secret(trigger_id: str) -> Response[str]:
    """Give a webhook a new secret; `overlap_s` is how long the old one stays valid.

    Args:
        trigger_id: The trigger's id.

    Returns:
        200 with the secret, once.

    Raises:
        NotFound: There is no such trigger.
        InvalidRequest: It is no webhook.
    """
    event = router.current_event
    by, given = caller(event), body_of(event) if event.body else {}
    return answer(200, {"id": trigger_id, "secret": container.triggers.define.rotate(by, trigger_id, given)})


@router.post("/triggers/<trigger_id>/test")
def try_trigger(trigger_id: str) -> Response[str]:
    """Show what an `event` would start; nothing is started.

    Args:
        trigger_id: The trigger's id.

    Returns:
        200 with the request that would be sent.

    Raises:
        NotFound: There is no such trigger.
    """
    event = router.current_event
    return answer(200, container.triggers.attempt(caller(event).tenant, trigger_id, body_of(event)))


@router.post("/triggers/<trigger_id>/fire")
def fire_trigger(trigger_id: str) -> Response[str]:
    """Put an `event` on the bus for a trigger of kind event.

    Args:
        trigger_id: The trigger's id.

    Returns:
        202 with the event; the trigger's state has what it started, a moment later.

    Raises:
        NotFound: There is no such trigger.
        InvalidRequest: The event does not fit.
    """
    event = router.current_event
    return answer(202, container.triggers.put_event(caller(event).tenant, trigger_id, body_of(event)))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("triggers request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
