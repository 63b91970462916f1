"""Serve the triggers' part of the API: define, show, try and fire triggers, and remove them."""

from __future__ import annotations

from typing import Any

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, body_of, caller, http_app, query_of, routes

router = routes()


@router.post("/triggers")
def add_trigger() -> Any:
    """Answer 201 for a new trigger, 200 for one that was there and says the same; a webhook's secret comes once."""
    event = router.current_event
    defined = container.triggers.define.add(caller(event), body_of(event))
    where = {"Location": f"/triggers/{defined.kept.trigger.id}"}
    return answer(201 if defined.is_new else 200, container.triggers.view(defined), where)


@router.get("/triggers")
def list_triggers() -> Any:
    """List the tenant's triggers by id."""
    event = router.current_event
    return answer(200, container.triggers.show.list(caller(event).tenant, query_of(event)))


@router.get("/triggers/<trigger_id>")
def show_trigger(trigger_id: str) -> Any:
    """Show one with what it did, and when it fires next."""
    return answer(200, container.triggers.show.detail(caller(router.current_event).tenant, trigger_id))


@router.put("/triggers/<trigger_id>")
def replace_trigger(trigger_id: str) -> Any:
    """Answer with the trigger as it is now."""
    event = router.current_event
    defined = container.triggers.define.replace(caller(event), trigger_id, body_of(event))
    return answer(200, container.triggers.view(defined))


@router.delete("/triggers/<trigger_id>")
def remove_trigger(trigger_id: str) -> Any:
    """Answer that it is gone."""
    container.triggers.define.remove(caller(router.current_event), trigger_id)
    return answer(200, {"id": trigger_id, "removed": True})


@router.post("/triggers/<trigger_id>/secret")
def rotate_secret(trigger_id: str) -> Any:
    """Answer with the webhook's new secret, once."""
    event = router.current_event
    by, given = caller(event), body_of(event) if event.body else {}
    return answer(200, {"id": trigger_id, "secret": container.triggers.define.rotate(by, trigger_id, given)})


@router.post("/triggers/<trigger_id>/test")
def try_trigger(trigger_id: str) -> Any:
    """Answer with what an event would start; nothing is started."""
    event = router.current_event
    return answer(200, container.triggers.attempt(caller(event).tenant, trigger_id, body_of(event)))


@router.post("/triggers/<trigger_id>/fire")
def fire_trigger(trigger_id: str) -> Any:
    """Answer 202 with the event; what it starts is in the trigger's state a moment later."""
    event = router.current_event
    return answer(202, container.triggers.put_event(caller(event).tenant, trigger_id, body_of(event)))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("triggers request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
