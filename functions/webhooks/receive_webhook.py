"""Starts what a webhook names."""

from __future__ import annotations

from typing import Any

from stepward.domain.triggers import FireResult
from stepward.runtime import trigger_wiring, wiring
from stepward.runtime.http import answer, bytes_of, routes
from stepward.triggers.fire import Fire
from stepward.triggers.webhook import ReceiveWebhook

router = routes()


@router.post("/hooks/<tenant>/<trigger_id>")
def receive_webhook(tenant: str, trigger_id: str) -> Any:
    """Answer 202 with the run that the call started, or 200 with the one that the same `webhook-id` did."""
    event = router.current_event
    fire = Fire(wiring.triggers(), trigger_wiring.starters(), wiring.clock())
    receive = ReceiveWebhook(wiring.triggers(), fire, wiring.clock(), trigger_wiring.webhook_key())
    fired = receive(tenant, trigger_id, event.headers, bytes_of(event))
    is_new = fired.firing.result is FireResult.STARTED
    return answer(202 if is_new else 200, {"run": fired.run.run if fired.run else None, "is_new": is_new})
