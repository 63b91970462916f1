"""Says what a run would cost."""

from __future__ import annotations

from typing import Any

from stepward.agents.attachments import attachments_of
from stepward.agents.lookup import find_agent
from stepward.agents.requests import parse
from stepward.agents.start import StartRequest
from stepward.runtime import money, wiring
from stepward.runtime.http import answer, body_of, caller, routes

router = routes()


@router.post("/agents/<agent_id>/estimate")
def estimate_run(agent_id: str) -> Any:
    """Say what a start with this body would cost; nothing is started."""
    event = router.current_event
    tenant, request = caller(event).tenant, parse(StartRequest, body_of(event))
    agent = find_agent(wiring.registry(), tenant, agent_id, request.version).definition
    answers = wiring.stage_answers().choose(agent, request)
    attachments = attachments_of(wiring.datasets(), tenant, request.attachments)
    found = money.estimate_case()(tenant, agent, request.input, answers, attachments)
    return answer(200, found.model_dump(mode="json"))
