"""Runs a workflow again from where it failed: what was done stays done, the rest is tried once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stepward.agents.requests import parse
from stepward.domain.answering import AnswerChoice
from stepward.domain.callers import Caller
from stepward.domain.errors import Conflict
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.workflow_registry import WorkflowRegistry
from stepward.workflow.finding import find_workflow_run
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.start_checks import startable_workflow
from stepward.workflow.running.starting import StartWorkflow, WorkflowLaunch


@dataclass(frozen=True)
class RerunWorkflow:
    """The use case behind `POST /runs/{run_id}/rerun`."""

    ports: WorkflowPorts
    start: StartWorkflow
    registry: WorkflowRegistry

    def __call__(
        self, caller: Caller, run: str, idempotency_key: str | None = None, body: Any = None
    ) -> WorkflowHead:
        """Start a new run of the same version on the same input, which takes over what the old one completed.

        Who answers its agents, and whether that is charged, is as in the old one, unless `body` says otherwise.
        """
        said = parse(AnswerChoice, {} if body is None else body)
        before = find_workflow_run(self.ports.runs, caller.tenant, run)
        if not before.ended:
            raise Conflict("the run has not ended.", field="run_id", fix="wait for its end, or cancel it")
        if before.status is WorkflowStatus.COMPLETED:
            raise Conflict("the run has completed.", field="run_id", fix="start a new run")
        found = startable_workflow(self.registry, caller.tenant, before.workflow, before.version)
        launch = WorkflowLaunch(
            self.ports.store.given(before.key),
            idempotency=self.start.idempotency(caller, _request(before.run, said), idempotency_key),
            rerun_of=before.run,
            priority=before.priority,
            said=said,
            before=before.answers,
        )
        return self.start.launch(caller, found, launch)[0]


def _request(run: str, said: AnswerChoice) -> str:
    """Write down what two reruns with one key must agree in."""
    choice = said.model_dump(mode="json")
    return f"rerun {run}" + (f" {json.dumps(choice, sort_keys=True)}" if choice else "")
