"""Starts workflows' runs: by request, by a trigger, by a task of another workflow, by an agent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from pydantic import Field

from stepward.agents.requests import parse
from stepward.agents.start import IDEMPOTENCY_KEY_CHARS, IDEMPOTENCY_TTL, INPUT_LIMIT_BYTES
from stepward.domain.answering import AnswerChoice, Answers
from stepward.domain.callers import Caller
from stepward.domain.errors import Conflict, InvalidRequest, MachineMissing, NotAllowed
from stepward.domain.ids import VersionOrLabel
from stepward.domain.json_schemas import faults_of_value
from stepward.domain.json_values import carried_bytes
from stepward.domain.line import Priority
from stepward.domain.task_records import WorkflowHead, WorkflowParent, WorkflowStatus
from stepward.ports.clock import iso
from stepward.ports.runtime_state import IdempotencyKey
from stepward.ports.task_store import WorkflowStarted
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.ports.workflow_runs import NewWorkflowRun
from stepward.workflow.finding import find_workflow
from stepward.workflow.running.beginning import BeginRun
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.who_answers import WhoAnswers

DEEPEST: Final = 5
"""How many workflows may wait for each other in a row."""
TRY_AGAIN: Final = "try again in a moment; GET the version to see when it is READY"
"""What to do about a version whose machine is being made."""


class StartWorkflowRequest(AnswerChoice):
    """The body of `POST /workflows/{workflow_id}/runs`."""

    input: Any = Field(default_factory=dict)
    version: VersionOrLabel | None = None
    priority: Priority | None = None


@dataclass(frozen=True)
class WorkflowLaunch:
    """A run that is to begin: all that differs between a request's and a parent's."""

    given: Any
    run: str | None = None
    parent: WorkflowParent | None = None
    idempotency: IdempotencyKey | None = None
    rerun_of: str | None = None
    priority: Priority | None = None
    """Without one that of the document."""

    said: AnswerChoice = field(default_factory=AnswerChoice)
    """What the start says of who answers its agents."""

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

    who: WhoAnswers = field(default_factory=WhoAnswers)

    def __call__(
        self, caller: Caller, workflow_id: str, body: Any, idempotency_key: str | None
    ) -> tuple[WorkflowHead, bool]:
        """Start a run, or find the one that the same Idempotency-Key started; the flag tells that it is new."""
        request = parse(StartWorkflowRequest, body)
        said = json.dumps([workflow_id, request.model_dump(mode="json")], sort_keys=True)
        key = self.idempotency(caller, said, idempotency_key)
        try:
            found = startable_workflow(self.registry, caller.tenant, workflow_id, request.version)
        except Conflict as error:
            if error.fix == TRY_AGAIN:
                self._order(caller.tenant, workflow_id, request.version)
            raise
        launch = WorkflowLaunch(request.input, idempotency=key, priority=request.priority, said=request)
        return self.launch(caller, found, launch)

    def _order(self, tenant: str, workflow: str, version: str | None) -> None:
        """Have a machine made whose order may be lost; one that is made twice is one."""
        found = find_workflow(self.registry, tenant, workflow, version)
        self.ports.machines.order(tenant, workflow, found.definition.version)

    def launch(
        self, caller: Caller, found: RegisteredWorkflow, launch: WorkflowLaunch
    ) -> tuple[WorkflowHead, bool]:
        """Begin a run: one transaction, then its machine, or the queue; started again after a death it is the same run."""
        check_input(found, launch.given)
        answers = self.who(caller.tenant, found.definition, launch.said, launch.before)
        if answers.charged:
            self.refuse_used_up(caller.tenant)
        ancestors = launch.parent.ancestors if launch.parent else ()
        _check_descent(found.definition.id, ancestors)
        now = self.ports.clock.now()
        definition = found.definition
        head = WorkflowHead(
            run=launch.run or self.ports.ids.new("run"),
            tenant=caller.tenant,
            workflow=definition.id,
            version=definition.version,
            principal=caller.principal,
            status=WorkflowStatus.RUNNING,
            priority=launch.priority or definition.priority,
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
            self.ports.queue.nudges.send(kept.tenant)
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
            self.ports.queue.tell(self.ports.runs.withdraw(head, launch.idempotency), head.tenant)
            raise _being_made(head.workflow, head.version) from error

    def idempotency(self, caller: Caller, said: str, key: str | None) -> IdempotencyKey | None:
        """Make of a header what knows the same request again; raises `InvalidRequest` for one that cannot be kept."""
        if key is None:
            return None
        if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARS or not key.isprintable():
            raise InvalidRequest(
                "the Idempotency-Key cannot be used.",
                field="Idempotency-Key",
                fix=f"use 1 to {IDEMPOTENCY_KEY_CHARS} printable characters, such as a UUID",
            )
        return IdempotencyKey(
            principal=caller.principal,
            key=key,
            body_sha256=hashlib.sha256(said.encode()).hexdigest(),
            expires_at=int((self.ports.clock.now() + IDEMPOTENCY_TTL).timestamp()),
        )


def startable_workflow(
    registry: WorkflowRegistry, tenant: str, workflow: str, version: str | None
) -> RegisteredWorkflow:
    """Read the version that a run is started with; one that is not READY is a `Conflict` that says so."""
    found = find_workflow(registry, tenant, workflow, version)
    if version in (None, "latest") and found.status in (VersionStatus.REFUSED, VersionStatus.ARCHIVED):
        ready = (one for one in registry.versions(tenant, workflow) if one.status is VersionStatus.READY)
        found = next(ready, found)
    if found.status is VersionStatus.READY:
        return found
    fixes = {
        VersionStatus.PUBLISHING: TRY_AGAIN,
        VersionStatus.REFUSED: "register another version",
        VersionStatus.ARCHIVED: "start another version",
    }
    raise Conflict(
        f"{workflow} {found.definition.version} is {found.status}"
        + (f": {found.detail}" if found.detail else "."),
        field="version",
        fix=fixes[found.status],
    )


def _being_made(workflow: str, version: str) -> Conflict:
    """The error for a version whose machine was gone; no run is left of the start."""
    return Conflict(
        f"the state machine of {workflow} {version} was gone and is being made again; no run was started.",
        field="version",
        fix=TRY_AGAIN,
    )


def check_input(found: RegisteredWorkflow, given: Any) -> None:
    """Refuse an input that is too large, or does not fit what the version asks for."""
    size = carried_bytes(given)
    if size > INPUT_LIMIT_BYTES:
        raise InvalidRequest(
            f"the input takes {size} bytes, the limit is {INPUT_LIMIT_BYTES}.", field="input", fix="send less"
        )
    schema = found.definition.input
    faults = (
        list(islice(faults_of_value(given, {"additionalProperties": True, **schema}), 20)) if schema else []
    )
    if faults:
        raise InvalidRequest(
            f"the input does not fit: {faults[0]}.",
            field="input",
            fix=f"GET /workflows/{found.definition.id} shows its schema",
            errors=[{"field": "input", "detail": fault, "fix": "mend the input"} for fault in faults],
        )


def _check_descent(workflow: str, ancestors: tuple[str, ...]) -> None:
    if workflow in ancestors:
        path = " → ".join((*ancestors, workflow))
        raise NotAllowed(f"the workflows would run each other in a circle: {path}.", field="workflow")
    if len(ancestors) >= DEEPEST:
        raise NotAllowed(f"workflows may run each other {DEEPEST} deep.", field="workflow")
