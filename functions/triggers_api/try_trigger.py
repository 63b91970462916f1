"""Tries a trigger on an event, without starting anything."""

from __future__ import annotations

from typing import Any

from stepward.runtime import trigger_wiring, wiring
from stepward.runtime.http import answer, body_of, caller, routes
from stepward.triggers.show import TryTrigger

router = routes()


@router.post("/triggers/<trigger_id>/test")
def try_trigger(trigger_id: str) -> Any:
    """Answer with what the event would start."""
    event = router.current_event
    attempt = TryTrigger(wiring.triggers(), trigger_wiring.startables())
    return answer(200, attempt(caller(event).tenant, trigger_id, body_of(event)))
