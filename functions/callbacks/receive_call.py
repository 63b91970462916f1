"""Answers the task whose address was called."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from stepward.runtime import workflow_wiring
from stepward.runtime.http import answer, body_of, routes

router = routes()


@router.post("/callbacks/<tenant>/<run_id>/<task>/<secret>")
def receive_call(tenant: str, run_id: str, task: str, secret: str) -> Any:
    """Answer 200 once the task has the body as its output; a call without a body brings null."""
    event = router.current_event
    given = body_of(event) if event.body else None
    return answer(200, workflow_wiring.callback_case()(tenant, run_id, unquote(task), secret, given))
