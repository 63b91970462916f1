"""Tables of runs, the same for every command that lists some."""

from __future__ import annotations

from typing import TypeGuard, cast

from rich.text import Text

from stepward.cli import output
from stepward.sdk import Run, WorkflowRun


def show_runs(runs: list[Run | WorkflowRun]) -> None:
    """Write a row a run: its id whole, whose it is, how it stands, who answers, what models and tools cost, its age."""
    table = output.table("run", "of", "status", "by", "cost", "age", right=("cost", "age"))
    for run in runs:
        cells = (
            run["id"],
            _whose(run),
            output.status_text(run["status"]),
            answered_by(run),
            _cost(run),
            output.age(run["created_at"]),
        )
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)


def is_of_workflow(run: Run | WorkflowRun) -> TypeGuard[WorkflowRun]:
    """Return True for a workflow's run; an older stage does not send `kind`."""
    return "workflow" in run


def answered_by(run: Run | WorkflowRun) -> str:
    """Name who answers a run; nothing where nobody has, or an older stage does not say."""
    if not is_of_workflow(run):
        return cast("Run", run).get("answered_by") or ""
    if run.get("rehearsed"):
        return "rehearsal"
    return "models" if run["cost"]["runs_usd_micros"] else ""


def _whose(run: Run | WorkflowRun) -> Text:
    if is_of_workflow(run):
        return output.joined(Text("workflow ", style="dim"), f"{run['workflow']} {run['version']}")
    agent = cast("Run", run)
    return Text(output.plain(f"{agent['agent']} {agent['version']}"))


def _cost(run: Run | WorkflowRun) -> str:
    return output.usd(run["totals"]["cost_usd_micros"])
