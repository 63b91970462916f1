"""Tables of runs, the same for every command that lists some."""

from __future__ import annotations

from typing import TypeGuard, cast

from rich.text import Text

from stepward.cli import output
from stepward.sdk import Run, WorkflowRun


def show_runs(runs: list[Run | WorkflowRun]) -> None:
    """Write a row a run: its id whole, whose it is, how it stands, who answers, what models and tools cost, its age.

    Where a window has no room for that, whose it is and who answers stand below the rest: no name is broken.
    """
    wide = output.table("run", "of", "status", "by", "cost", "age", right=("cost", "age"))
    narrow = output.table("run", "status", "cost", "age", right=("cost", "age"))
    for run in runs:
        run_id, status, figures = output.as_cell(run["id"]), output.status_text(run["status"]), _figures(run)
        wide.add_row(run_id, _whose(run), status, output.as_cell(answered_by(run)), *figures)
        narrow.add_row(run_id, status, *figures)
    if output.fits(wide) or not output.fits(narrow):
        output.show(wide)
    else:
        output.show_with_notes(narrow, [_note(run) for run in runs])


def _note(run: Run | WorkflowRun) -> Text:
    by = answered_by(run)
    return output.joined("  ", _whose(run), Text(f" · {output.plain(by)}" if by else "", style="dim"))


def _figures(run: Run | WorkflowRun) -> tuple[str, str]:
    return output.usd(run["totals"]["cost_usd_micros"]), output.age(run["created_at"])


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
