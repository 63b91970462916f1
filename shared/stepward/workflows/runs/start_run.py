"""Start runs: by request, by a trigger, by a task, by an agent; rerun failed ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import Field

from stepward.agents.requests import idempotency_key as idempotency_key_of
from stepward.agents.requests import parse
from stepward.domain.errors import Conflict, MachineMissing
from stepward.domain.run_origins import Caller
from stepward.domain.runs import AnswerChoice, Answers, StartOptions
from stepward.domain.task_records import WorkflowHead, WorkflowParent, WorkflowStatus
from stepward.ports.clock import iso
from stepward.ports.runs import IdempotencyKey
from stepward.ports.tasks import WorkflowStarted
from stepward.ports.workflow_registry import RegisteredWorkflow, WorkflowRegistry
from stepward.ports.workflow_runs import NewWorkflowRun
from stepward.workflows.program.lookup import find_workflow, find_workflow_run
from stepward.workflows.runs.begin_run import BeginRun
from stepward.workflows.runs.run_store import WorkflowPorts
from stepward.workflows.runs.start_checks import (
    TRY_AGAIN,
    ChooseAnswers,
    being_made,
    check_descent,
    check_input,
    startable_workflow,
)

# Starts.


class StartWorkflowRequest(StartOptions):
    """The body of `POST /workflows/{workflow_id}/runs`."""

    input: Any = Field(default_factory=dict)


@dataclass(frozen=True)
class WorkflowLaunch:
    """A run that is to begin: all that differs between a request's and a parent's."""

    given: Any
    run: str | None = None
    parent: WorkflowParent | None = None
    idempotency: IdempotencyKey | None = None
    rerun_of: str | None = None
    said: StartOptions = field(default_factory=StartOptions)
    """Who answers its agents, and what goes to the head as it was said; the rest is the document's."""

    before: Answers | None = None
    """What holds where it says nothing: that of the run above, or of the one that it is a rerun of."""


@dataclass(frozen=True)
class StartWorkflow:
    """The use case behind `POST /workflows/{workflow_id}/runs`."""

    ports: WorkflowPorts
    registry: WorkflowRegistry
    refuse_used_up: Callable[[str], None] = lambda _: None
    """Raises `BudgetExceeded` where nothing is left of a budget that counts all of a tenant's runs."""

    may_begin_later: bool = False
    """Whether nobody is there who could ask again: a run whose machine is gone begins once there is one."""

    who: ChooseAnswers = field(default_factory=ChooseAnswers)

    def __call__(
        self, caller: Caller, workflow_id: str, body: Any, idempotency_key: str | None
    ) -> tuple[WorkflowHead, bool]:
        """Start a run, or find the one that the same Idempotency-Key started; the flag tells that it is new."""
        request = parse(StartWorkflowRequest, body)
        said = [workflow_id, request.model_dump(mode="json")]
        key = idempotency_key_of(caller, said, idempotency_key, self.ports.clock.now())
        try:
            found = startable_workflow(self.registry, caller.tenant, workflow_id, request.version)
        except Conflict as error:
            if error.fix == TRY_AGAIN:
                self._order(caller.tenant, workflow_id, request.version)
            raise
        launch = WorkflowLaunch(request.input, idempotency=key, said=request)
        return self.launch(caller, found, launch)

    def _order(self, tenant: str, workflow: str, version: str | None) -> None:
        """Have a machine made whose order may be lost; one that is made twice is one."""
        found = find_workflow(self.registry, tenant, workflow, version)
        self.ports.machines.request_publish(tenant, workflow, found.definition.version)

    def launch(
        self, caller: Caller, found: RegisteredWorkflow, launch: WorkflowLaunch
    ) -> tuple[WorkflowHead, bool]:
        """Begin a run: one transaction, then its machine, or the queue; started again after a death it is the same run."""
        check_input(found, launch.given)
        answers = self.who(caller.tenant, found.definition, launch.said, launch.before)
        if answers.charged:
            self.refuse_used_up(caller.tenant)
        ancestors = launch.parent.ancestors if launch.parent else ()
        check_descent(found.definition.id, ancestors)
        now = self.ports.clock.now()
        definition = found.definition
        head = WorkflowHead(
            **{"priority": definition.priority} | launch.said.for_head(),
            run=launch.run or self.ports.ids.new("run"),
            tenant=caller.tenant,
            workflow=definition.id,
            version=definition.version,
            principal=caller.principal,
            status=WorkflowStatus.RUNNING,
            machine=found.machine,
            parent=launch.parent,
            rerun_of=launch.rerun_of,
            rehearsed=answers.rehearsed,
            charged=answers.charged,
            created_at=iso(now),
            deadline_at=iso(now + timedelta(seconds=definition.timeout_s)),
        )
        started = WorkflowStarted(
            workflow=head.workflow,
            version=head.version,
            principal=head.principal,
            at=head.created_at,
            deadline_at=head.deadline_at,
            ancestors=(*ancestors, head.workflow),
            rerun_of=launch.rerun_of,
        )
        limits = self.ports.queue.slot_limits(caller.tenant)
        new = NewWorkflowRun(head, started, launch.given, launch.idempotency, limits)
        kept, is_new = self.ports.runs.start(new)
        if kept.status is WorkflowStatus.PENDING:
            self.ports.queue.wake_ups.send(kept.tenant)
        elif not kept.ended:
            self._begin(kept, launch, is_new=is_new)
        return kept, is_new

    def _begin(self, head: WorkflowHead, launch: WorkflowLaunch, *, is_new: bool) -> None:
        """Start the run's machine, or take back the start where there is none.

        time →   request: head ✓ ─ no machine: ordered ─ withdrawn ✓ ─ refused: nobody was told of the run
                 task, call, event: head ✓ ─ no machine: ordered    janitor: it never began → started, once there is one
        """
        try:
            BeginRun(self.ports)(head, is_new=is_new)
        except MachineMissing as error:
            if self.may_begin_later or launch.parent is not None or not is_new:
                return  # somebody waits for this very run, or has been told of it; or an event comes only once
            self.ports.queue.wake_waiting(self.ports.runs.withdraw(head, launch.idempotency), head.tenant)
            raise being_made(head.workflow, head.version) from error


# Reruns.


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
        again = _request(before.run, said)
        launch = WorkflowLaunch(
            self.ports.store.given(before.key),
            idempotency=idempotency_key_of(caller, again, idempotency_key, self.start.ports.clock.now()),
            rerun_of=before.run,
            said=StartOptions(priority=before.priority, **said.model_dump()),
            before=before.answers,
        )
        return self.start.launch(caller, found, launch)[0]


def _request(run: str, said: AnswerChoice) -> str:
    """Write down what two reruns with one key must agree in."""
    choice = said.model_dump(mode="json")
    return f"rerun {run}" + (f" {json.dumps(choice, sort_keys=True)}" if choice else "")
