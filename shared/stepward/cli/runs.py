"""Implement `stepward runs ls`, `show`, `tail` and `cancel`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from stepward.cli import output, run_view, timeline, workflow_view
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG
from stepward.cli.options import CursorOption, LimitOption, RunArgument
from stepward.cli.workflow_runs import tail_workflow
from stepward.sdk import Run, RunPage

app = typer.Typer(
    no_args_is_help=True, help="List, read, follow, pause, fork, compare and cancel runs.", epilog=EPILOG
)


class KindChoice(StrEnum):
    """Kinds of runs."""

    AGENT = "agent"
    WORKFLOW = "workflow"


LS_HELP = """List runs of agents and workflows, newest first.

Examples:

  stepward runs ls --agent support-refunds --limit 20

  stepward runs ls --kind workflow --status FAILED --since 24h

  stepward runs ls --day 2026-11-05 --json | jq -r '.runs[] | select(.status=="FAILED") | .id'
"""
SHOW_HELP = """Show one run: its input, its answer or error, its totals.

Examples:

  stepward runs show run_01…

  stepward runs show run_01… --json | jq .totals
"""
TAIL_HELP = """Follow a run until it has ended: an agent's by its events, a workflow's by its tasks.

With --json, one event (or task) per line.

Examples:

  stepward runs tail run_01…

  stepward runs tail run_01… --after 5 --json
"""
CANCEL_HELP = """Cancel a run. What it has spent stays booked.

Examples:

  stepward runs cancel run_01…
"""


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(  # noqa: PLR0913, PLR0917  a command's options are its parameters
    kind: Annotated[KindChoice | None, typer.Option(help="Only runs of agents, or of workflows.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only runs of this agent.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only runs of this workflow.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only runs with this status, such as FAILED or WAITING.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only runs since then: 90m, 24h, 7d, a day or an instant."),
    ] = None,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only runs of this UTC day.")] = None,
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first."""
    with connect(url, key) as stepward:
        page = stepward.runs(
            kind=kind.value if kind else None,
            agent=agent,
            workflow=workflow,
            status=status.upper() if status else None,
            since=since,
            day=day,
            limit=limit,
            cursor=cursor,
        )
    output.answer(page, _show_page, as_json=as_json)


@app.command("show", help=SHOW_HELP, epilog=EPILOG)
def show(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Show one run."""
    with connect(url, key) as stepward:
        run = stepward.run(run_id)
        shortened = [] if as_json else run_view.decisions(stepward, run)
    output.answer(run, _show_run, as_json=as_json)
    run_view.show(shortened)


@app.command("tail", help=TAIL_HELP, epilog=EPILOG)
def tail(
    run_id: RunArgument,
    after: Annotated[str | None, typer.Option(help="Start after this event: its `seq` or `id`.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a run's events until it has ended."""
    with connect(url, key) as stepward:
        if run_view.is_of_workflow(stepward.run(run_id)):
            tail_workflow(stepward, run_id, as_json=as_json)
            return
        for event in stepward.follow(run_id, after=after):
            if as_json:
                output.write_json(event, one_line=True)
            else:
                output.write_lines(timeline.lines_of(event))


@app.command("cancel", help=CANCEL_HELP, epilog=EPILOG)
def cancel(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Cancel a run that has not ended."""
    with connect(url, key) as stepward:
        run = stepward.cancel(run_id)
    run_view.show_status(run, as_json=as_json)


def _show_page(page: RunPage) -> None:
    if page["runs"]:
        run_view.show_runs(page["runs"])
    elif page["next_cursor"] is None:
        output.say("No such runs. Start one: stepward run AGENT --input '…'")
    output.more(page["next_cursor"])


def _charged_to(run: Run) -> str | None:
    """Return the budgets that a run draws on; None from an older stage."""
    if run.get("charged") is False:
        return "nothing: it is rehearsed, so it draws on no budget (--charge asks for it)"
    budgets = run.get("charged_to")
    if budgets is None:
        return None
    return f"{', '.join(budgets) or 'no budget, for none is set'}; stepward costs shows it"


def _origin(run: Run) -> str | None:
    fork = run.get("fork_of")
    return f"{fork['run']} at turn {fork['turn']}" if fork else None


def _show_run(run: Run) -> None:
    if run_view.is_of_workflow(run):
        workflow_view.show_run(run)
        return
    own = {
        "deadline": run["deadline_at"],
        "paused": "yes" if run.get("paused") else None,
        **run_view.wait_fields(run),
        "fork of": _origin(run),
    }
    shared = run_view.shared_fields(run, own, {"charged to": _charged_to(run)})
    output.fields({**shared, "input": output.as_line(run.get("input", ""))})
    output.say("")
    timeline.show_verdict(run)
