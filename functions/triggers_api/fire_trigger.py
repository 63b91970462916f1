"""Puts an event for a trigger."""

from __future__ import annotations

from typing import Any

from stepward.runtime import trigger_wiring, wiring
from stepward.runtime.config import settings
from stepward.runtime.http import answer, body_of, caller, routes
from stepward.triggers.put_event import PutTriggerEvent

router = routes()


@router.post("/triggers/<trigger_id>/fire")
def fire_trigger(trigger_id: str) -> Any:
    """Answer 202 with the event; what it starts is in the trigger's state a moment later."""
    event = router.current_event
    put = PutTriggerEvent(wiring.triggers(), trigger_wiring.bus(), settings().event_sources)
    return answer(202, put(caller(event).tenant, trigger_id, body_of(event)))
