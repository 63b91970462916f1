"""Start runs, for requests, triggers, tasks and agents, and rerun failed ones."""

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
    check_descent,
    check_input,
    machine_missing,
    startable_workflow,
)

# Starts.


class StartWorkflowRequest(StartOptions):
    """The body of `POST /workflows/{workflow_id}/runs`."""

    input: Any = Field(default_factory=dict)


@dataclass(frozen=True)
class WorkflowLaunch:
    """A run to be started: all that differs between a request's and a parent's."""

    given: Any
    run: str | None = None
    parent: WorkflowParent | None = None
    idempotency: IdempotencyKey | None = None
    rerun_of: str | None = None
    said: StartOptions = field(default_factory=StartOptions)
    """The options of the start request; the rest is the document's."""

    before: Answers | None = None
    """Defaults of the answer choice: of the run above, or the one that this is a rerun of."""


@dataclass(frozen=True)
class StartWorkflow:
    """The use case behind `POST /workflows/{workflow_id}/runs`."""

    ports: WorkflowPorts
    registry: WorkflowRegistry
    refuse_used_up: Callable[[str], None] = lambda _: None
    """Raises `BudgetExceeded` if a budget that counts all of a tenant's runs is exhausted."""

    may_begin_later: bool = False
    """Whether a run whose machine is gone is started later, because the caller cannot retry."""

    choose_answers: ChooseAnswers = field(default_factory=ChooseAnswers)

    def __call__(
        self, caller: Caller, workflow_id: str, body: Any, idempotency_key: str | None
    ) -> tuple[WorkflowHead, bool]:
        """Start a run, or find the one that the same Idempotency-Key started.

        Args:
            caller: Who starts it.
            workflow_id: The workflow's id.
            body: The request's body, a `StartWorkflowRequest`.
            idempotency_key: The request's Idempotency-Key, if any.

        Returns:
            The run's head, and whether it is new.

        Raises:
            InvalidRequest: The body or the input is malformed.
            NotFound: There is no such workflow or version.
            Conflict: The version is not READY, or the key was used for another request.
            BudgetExceeded: A budget of the tenant is exhausted.
        """
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
        """Request a machine again, whose request may be lost; requesting it twice makes one."""
        found = find_workflow(self.registry, tenant, workflow, version)
        self.ports.machines.request_publish(tenant, workflow, found.definition.version)

    def launch(
        self, caller: Caller, found: RegisteredWorkflow, launch: WorkflowLaunch
    ) -> tuple[WorkflowHead, bool]:
        """Start a run: one transaction, then its machine, or the queue; safe to repeat.

        Returns:
            The run's head, and whether it is new.
        """
        check_input(found, launch.given)
        answers = self.choose_answers(caller.tenant, found.definition, launch.said, launch.before)
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
        """Start the run's machine, or withdraw the start where there is none.

        time →   request: head ✓ ─ no machine: ordered ─ withdrawn ✓ ─ refused: the run was never announced
                 task, call, event: head ✓ ─ no machine: ordered    janitor: it never began → started, once there is one
        """
        try:
            BeginRun(self.ports)(head, is_new=is_new)
        except MachineMissing as error:
            if self.may_begin_later or launch.parent is not None or not is_new:
                return  # the run is waited for or known already, or its event comes only once
            self.ports.queue.wake_waiting(self.ports.runs.withdraw(head, launch.idempotency), head.tenant)
            raise machine_missing(head.workflow, head.version) from error


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
        """Start a new run of the same version and input that inherits what completed.

        Args:
            caller: Who asks for it.
            run: The run to repeat.
            idempotency_key: The request's Idempotency-Key, if any.
            body: An `AnswerChoice`; without one what answers its agents, and whether that is charged, stays as it was.

        Returns:
            The new run's head.

        Raises:
            InvalidRequest: The id or the body is malformed.
            NotFound: There is no such run.
            Conflict: The run has not ended, or has completed.
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
    """Return what two reruns with one Idempotency-Key must agree in."""
    choice = said.model_dump(mode="json")
    return f"rerun {run}" + (f" {json.dumps(choice, sort_keys=True)}" if choice else "")
