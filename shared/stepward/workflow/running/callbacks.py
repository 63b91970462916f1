"""Tasks that wait for a call from outside: the address that they make, and what comes in there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepward.domain.callback_addresses import callback_path, is_secret
from stepward.domain.errors import Conflict, NotFound
from stepward.domain.ids import RUN_ID_PATTERN, TENANT_PATTERN, check_id
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskPlace, WorkflowHead
from stepward.ports.task_answers import TaskOutcome
from stepward.ports.task_store import Begun
from stepward.workflow.running.answering import AnswerTask
from stepward.workflow.running.ports import WorkflowPorts


@dataclass(frozen=True)
class ReceiveCall:
    """The use case behind `POST /callbacks/{tenant}/{run_id}/{task}/{secret}`.

    Nobody signs in here: the last part of the address is known to the one who was told it and to nobody else.
    """

    ports: WorkflowPorts
    answers: AnswerTask

    def __call__(self, tenant: str, run: str, task: str, secret: str, body: Any) -> dict[str, Any]:
        """Answer the task with what came; a second call finds it answered."""
        check_id("tenant", tenant, TENANT_PATTERN)
        check_id("run_id", run, RUN_ID_PATTERN)
        path, _, at = task.partition("@")
        key, name = RunKey(tenant=tenant, run=run), TaskKey(path=path, at=at)
        head = self.ports.runs.head(key)
        marks = self.ports.store.look(key, [], [name]).begun.get(name, ()) if head else ()
        mark = next((one for one in marks if one.child and is_secret(_secret(one), secret)), None)
        if head is None or mark is None:
            raise NotFound(
                "nobody waits for a call at this address.", field="path", fix="use the address as it came"
            )
        place = TaskPlace(
            workflow=head.workflow,
            version=head.version,
            path=path,
            at=at,
            attempt=mark.attempt,
            started_at=mark.at,
            child=mark.child,
        )
        if not self.answers.waits(tenant, run, place):
            raise Conflict(f"the task {name} waits no longer.", field="path", fix="nothing is left to do")
        kept = self.answers.answer(tenant, run, place, TaskOutcome(output=body))
        return {"run": run, "task": str(name), "status": kept.status.value if kept else "RUNNING"}


def callback_address(head: WorkflowHead, place: TaskPlace) -> str:
    """Make the address of a task, below that of the API: each attempt has one of its own."""
    return callback_path(head.tenant, head.run, str(place.key), _secret(place))


def _secret(attempt: Begun | TaskPlace) -> str:
    """Take what was drawn for the attempt; attempts of 0.2.0 have but the name that was drawn for a run."""
    return attempt.secret or (attempt.child or "").removeprefix("run_")
