"""Makes, changes and removes triggers."""

from __future__ import annotations

from typing import Any

from stepward.runtime import trigger_wiring, wiring
from stepward.runtime.config import settings
from stepward.runtime.http import answer, body_of, caller, routes
from stepward.triggers.define import Defined, DefineTriggers
from stepward.triggers.show import trigger_view

router = routes()


@router.post("/triggers")
def add_trigger() -> Any:
    """Answer 201 for a new trigger, 200 for one that was there and says the same; a webhook's secret comes once."""
    event = router.current_event
    defined = _define().add(caller(event), body_of(event))
    where = {"Location": f"/triggers/{defined.kept.trigger.id}"}
    return answer(201 if defined.is_new else 200, _view(defined), where)


@router.put("/triggers/<trigger_id>")
def replace_trigger(trigger_id: str) -> Any:
    """Answer with the trigger as it is now."""
    event = router.current_event
    return answer(200, _view(_define().replace(caller(event), trigger_id, body_of(event))))


@router.delete("/triggers/<trigger_id>")
def remove_trigger(trigger_id: str) -> Any:
    """Answer that it is gone."""
    _define().remove(caller(router.current_event), trigger_id)
    return answer(200, {"id": trigger_id, "removed": True})


@router.post("/triggers/<trigger_id>/secret")
def rotate_secret(trigger_id: str) -> Any:
    """Answer with the webhook's new secret, once."""
    event = router.current_event
    by, given = caller(event), body_of(event) if event.body else {}
    return answer(200, {"id": trigger_id, "secret": _define().rotate(by, trigger_id, given)})


def _define() -> DefineTriggers:
    return DefineTriggers(
        wiring.triggers(),
        wiring.schedules(),
        trigger_wiring.startables(),
        wiring.clock(),
        settings().event_sources,
        trigger_wiring.webhook_key(makes=True),
    )


def _view(defined: Defined) -> dict[str, Any]:
    secret = {"secret": defined.secret} if defined.secret else {}
    return {**trigger_view(defined.kept), **secret}
