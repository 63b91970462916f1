"""Show workflows, versions and runs with every task's state, times and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.show_runs import page_size
from stepward.domain.errors import NotFound
from stepward.domain.programs import Program
from stepward.domain.task_records import TaskKey, TaskPlace, TaskRecord, WorkflowHead
from stepward.ports.tasks import Begun, RunSnapshot
from stepward.ports.workflow_registry import RegisteredWorkflow, WorkflowRegistry
from stepward.tasks.catalog import asks_person, type_of
from stepward.workflows.program.lookup import find_workflow, find_workflow_run
from stepward.workflows.runs.ask_person import approval_id_of
from stepward.workflows.runs.attempts import waits_for_call
from stepward.workflows.runs.aws_cost import Bill
from stepward.workflows.runs.end_run import OUTPUT, totals_of
from stepward.workflows.runs.outside_answers import callback_address
from stepward.workflows.runs.run_store import WorkflowPorts

MOST_TASKS_SHOWN: Final = 2_000


@dataclass(frozen=True)
class ShowWorkflows:
    """The use cases behind `GET /workflows` and what is below it."""

    registry: WorkflowRegistry
    ports: WorkflowPorts

    def list(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List workflows by id.

        Args:
            tenant: Whose workflows.
            query: `limit` and `cursor`.

        Returns:
            `workflows`, and `next_cursor` for the page after them; None at the end.
        """
        page = self.registry.list_workflows(
            tenant, limit=page_size(query.get("limit")), cursor=query.get("cursor")
        )
        shown = [one.model_dump(mode="json", exclude_defaults=True) for one in page.workflows]
        return {"workflows": shown, "next_cursor": page.cursor}

    def detail(self, tenant: str, workflow: str, query: dict[str, str]) -> dict[str, Any]:
        """Show one version with its document, and list the other versions.

        Args:
            tenant: Whose workflow it is.
            workflow: The workflow's id.
            query: `version`; without it the newest.

        Raises:
            InvalidRequest: The id or the version is malformed.
            NotFound: There is no such workflow or version.
        """
        found = find_workflow(self.registry, tenant, workflow, query.get("version"))
        versions = [one.definition.version for one in self.registry.versions(tenant, workflow)]
        return {**version_view(found), "versions": versions}

    def run(self, tenant: str, run: str) -> dict[str, Any]:
        """Show one run: input, output, and the state of each task.

        Args:
            tenant: Whose run it is.
            run: The run's id.

        Raises:
            InvalidRequest: The id is malformed.
            NotFound: There is no such run.
        """
        head = find_workflow_run(self.ports.runs, tenant, run)
        program = self.ports.program(tenant, head.workflow, head.version)
        snapshot = self.ports.store.full_snapshot(head.key)
        bill = Bill(program, snapshot, is_child=head.parent is not None)
        tasks = list(_tasks(head, program, snapshot, bill))
        return {
            **workflow_run_view(head if head.ended else _so_far(head, snapshot, bill)),
            "input": self.ports.store.given(head.key),
            "output": self._output(head),
            "tasks": tasks[:MOST_TASKS_SHOWN],
            "report": report(tasks),
        }

    def _output(self, head: WorkflowHead) -> Any:
        if not head.ended:
            return None
        try:
            return self.ports.store.value(head.key, OUTPUT)
        except NotFound:
            return None


def version_view(found: RegisteredWorkflow) -> dict[str, Any]:
    """Show a version as the API does."""
    document = found.definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    rest = found.model_dump(mode="json", exclude={"definition"}, exclude_none=True)
    return {"id": found.definition.id, "version": found.definition.version, **rest, "definition": document}


def workflow_run_view(head: WorkflowHead) -> dict[str, Any]:
    """Show a run as the API does, without its input and output."""
    shown = head.model_dump(
        mode="json", exclude={"tenant", "epoch", "run", "machine", "parent"}, exclude_none=True
    )
    return {
        "id": head.run,
        "kind": "workflow",
        "workflow": head.workflow,
        "version": head.version,
        "status": head.status,
        **shown,
        "error": shown.get("error"),
        "charged": head.charged,
        "cost": cost_view(head),
        "ended_at": head.ended_at,
        "parent": head.parent.run if head.parent else None,
    }


def cost_view(head: WorkflowHead) -> dict[str, int]:
    """Show the cost of a run: of the runs within it, of itself, and in all."""
    totals, aws = head.totals, head.aws.usd_micros if head.aws else 0
    return {
        "runs_usd_micros": totals.cost_usd_micros - totals.tool_usd_micros,
        "tool_usd_micros": totals.tool_usd_micros,
        "runs_aws_usd_micros": totals.runs_aws_usd_micros,
        "aws_usd_micros": aws,
        "total_usd_micros": totals.cost_usd_micros + totals.runs_aws_usd_micros + aws,
    }


def _so_far(head: WorkflowHead, snapshot: RunSnapshot, bill: Bill) -> WorkflowHead:
    """Return the head of an open run with its cost until now."""
    return head.model_copy(update={"totals": totals_of(snapshot.records), "aws": bill.total.cost()})


def _tasks(
    head: WorkflowHead, program: Program, snapshot: RunSnapshot, bill: Bill
) -> Iterator[dict[str, Any]]:
    """Yield the tasks in document order, with their iterations; then the compensations."""
    known = {task for task in (*snapshot.records, *snapshot.begun) if task.is_task or task.is_undone}
    order = {path: place for place, path in enumerate(program.tasks)}
    keys = {TaskKey(path=path) for path, planned in program.tasks.items() if planned.depth == 0} | known
    for task in sorted(keys, key=lambda one: (order.get(one.path, len(order)), one.path, _rounds(one.at))):
        marks = snapshot.begun.get(task, ())
        shown = _task(program, task, snapshot.records.get(task), marks)
        if task in bill.tasks:
            own = bill.tasks[task].cost().usd_micros
            shown["aws_usd_micros"] = own + shown.get("runs_aws_usd_micros", 0)
        yield {**shown, **_as_it_stands(head, program, task, marks, shown["status"])}


def _as_it_stands(
    head: WorkflowHead, program: Program, task: TaskKey, begun: tuple[Begun, ...], status: str
) -> dict[str, str]:
    """Return what a task without a record waits for; in an ended run it is cancelled."""
    if head.ended and status in ("RUNNING", "PENDING"):
        return {
            "status": "CANCELLED",
            "why": f"the run ended before it {'did' if status == 'RUNNING' else 'began'}",
        }
    planned = program.tasks.get(task.path)
    if status != "RUNNING" or not begun or planned is None:
        return {}
    place = _place_of(head, task, begun[-1])
    if asks_person(planned.task):
        return {"approval": approval_id_of(head, place)}
    return {"callback": callback_address(head, place)} if waits_for_call(planned) else {}


def _place_of(head: WorkflowHead, task: TaskKey, newest: Begun) -> TaskPlace:
    return TaskPlace(
        workflow=head.workflow,
        version=head.version,
        path=task.path,
        at=task.at,
        attempt=newest.attempt,
        started_at=newest.at,
        child=newest.child,
        secret=newest.secret,
    )


def _rounds(at: str) -> tuple[int, ...]:
    return tuple(int(part.partition("[")[2].rstrip("]")) for part in at.split(".") if "[" in part)


def _task(
    program: Program, task: TaskKey, record: TaskRecord | None, begun: tuple[Begun, ...]
) -> dict[str, Any]:
    planned = program.tasks.get(task.path)
    shown: dict[str, Any] = {"task": task.path, **({"at": task.at} if task.at else {})}
    shown["type"] = planned.task.type if planned else "compensation"
    if record is None:
        newest = begun[-1] if begun else None
        shown["status"] = "RUNNING" if newest else "PENDING"
        shown |= {"started_at": newest.at, "attempt": newest.attempt} if newest else {}
        child = newest.child if newest and planned and type_of(planned.task).starts else None
        return {**shown, **({"child": child} if child else {})}
    hidden = {"v", "entries"} | (set() if record.taken_over else {"taken_over"})
    return {**shown, **record.model_dump(mode="json", exclude=hidden, exclude_none=True)}


def report(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize a run: tasks by status, errors, and cost."""
    own = [task for task in tasks if task["type"] != "compensation"]
    statuses = sorted({task["status"] for task in own})
    ran = [task for task in own if task["status"] in ("COMPLETED", "FAILED")]
    well = sum(task["status"] == "COMPLETED" for task in ran)
    return {
        "counts": {status: sum(task["status"] == status for task in own) for status in statuses},
        "success_rate": round(well / len(ran), 4) if ran else None,
        "errors": [
            {"task": task["task"], "at": task.get("at", ""), **task["error"]}
            for task in own
            if task["status"] == "FAILED" and "error" in task
        ],
        "fell_back": [task["task"] for task in own if task.get("fell_back")],
        **_compensations(tasks),
        "cost_usd_micros": sum(task.get("cost_usd_micros", 0) for task in tasks),
    }


def _compensations(tasks: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the tasks that were compensated, and those whose compensation failed."""
    undoings = [task for task in tasks if TaskKey(path=task["task"]).is_undone]
    names = {
        well: [
            task["task"].removesuffix("~undone")
            for task in undoings
            if (task["status"] == "COMPLETED") is well
        ]
        for well in (True, False)
    }
    return {"undone": names[True], "not_undone": names[False]}
