"""Pauses a run, and lets it go on."""

from __future__ import annotations

from typing import Any

from stepward.agents.run_control import PauseRun, ResumeRun
from stepward.domain.runs import run_view
from stepward.runtime import wiring, workflow_wiring
from stepward.runtime.http import answer, caller, routes

router = routes()


@router.post("/runs/<run_id>/pause")
def pause_run(run_id: str) -> Any:
    """Answer 202 with the run, which stands still after the step that it is at."""
    by = caller(router.current_event)
    pause = PauseRun(wiring.run_ports())
    with workflow_wiring.all_runs().of_kind("agent", by.tenant, run_id):
        return answer(202, run_view(pause(by.tenant, run_id, by.principal)))


@router.post("/runs/<run_id>/resume")
def resume_run(run_id: str) -> Any:
    """Answer 202 with the run, which goes on as soon as it has a slot."""
    by = caller(router.current_event)
    resume = ResumeRun(wiring.run_ports())
    with workflow_wiring.all_runs().of_kind("agent", by.tenant, run_id):
        return answer(202, run_view(resume(by.tenant, run_id, by.principal)))
