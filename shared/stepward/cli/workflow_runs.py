"""Implement `stepward workflows run`, `runs`, `show-run`, `tail`, `cancel`, `rerun`."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from stepward.cli import output, run_view, workflow_view
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.data import put_datasets
from stepward.cli.exit_codes import EPILOG, exit_code_of_run
from stepward.cli.input_files import (
    FileOrIdArgument,
    VersionOption,
    document_refusals_of,
    is_file,
    read_input,
    source_of,
)
from stepward.cli.options import (
    ChargeOption,
    CursorOption,
    IdempotencyKeyOption,
    KeptChargeOption,
    KeptRehearseOption,
    LimitOption,
    RehearseOption,
    RunArgument,
    WorkflowArgument,
)
from stepward.sdk import Stepward, WorkflowRun, WorkflowRunPage

RUN_HELP = """Start a workflow and watch its tasks to the end.

A file is registered first; the same version with the same content changes nothing. Shows each task as it begins and
ends, then the output and the report. Exits 1 unless the run is COMPLETED.

Examples:

  stepward workflows run billing.yaml --input '{"price": 20, "count": 5}'

  stepward workflows run billing-flow --input @order.json --json

  stepward workflows run billing-flow --no-wait
"""
RUNS_HELP = """List a workflow's runs, newest first.

Examples:

  stepward workflows runs billing-flow

  stepward workflows runs billing-flow --json | jq -r '.runs[] | select(.status=="FAILED") | .id'
"""
SHOW_HELP = """Show one run: every task with its state, time and cost, then the output and the report.

Examples:

  stepward workflows show-run run_01…

  stepward workflows show-run run_01… --json | jq '.tasks[] | select(.status=="FAILED")'
"""
TAIL_HELP = """Follow a run's tasks until it has ended. With --json, one task per line, and at last the run.

Examples:

  stepward workflows tail run_01…

  stepward workflows tail run_01… --json | jq -r '.task // .status'
"""
CANCEL_HELP = """Cancel a run and the runs within it.

Examples:

  stepward workflows cancel run_01…
"""
RERUN_HELP = """Run a failed run again from where it failed; what it completed is taken over.

Examples:

  stepward workflows rerun run_01…
"""
WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Watch the run to its end, or only start it.")
]


def run(  # noqa: PLR0913, PLR0917  a command's options are its parameters
    given: FileOrIdArgument,
    what: Annotated[
        str, typer.Option("--input", "-i", metavar="TEXT|JSON|@FILE|-", help="The run's input.")
    ] = "{}",
    wait: WaitOption = True,
    version: VersionOption = None,
    idempotency_key: IdempotencyKeyOption = None,
    rehearse: RehearseOption = None,
    charge: ChargeOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a workflow and watch its tasks to the end."""
    work = read_input(what)
    with connect(url, key) as stepward:
        workflow, which = (
            _registered(stepward, given, as_json=as_json) if is_file(given) else (given, version)
        )
        begun = stepward.workflows.start(
            workflow,
            work,
            version=which,
            idempotency_key=idempotency_key,
            rehearse=rehearse,
            charge=charge,
        )
        _follow(stepward, begun, wait=wait, as_json=as_json)


def runs(
    workflow_id: WorkflowArgument,
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a workflow's runs, newest first."""
    with connect(url, key) as stepward:
        page = stepward.workflows.runs(workflow_id, limit=limit, cursor=cursor)
    if as_json:
        output.write_json(page)
    else:
        _show_page(page, workflow_id)


def show_run(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Show one run with its tasks."""
    with connect(url, key) as stepward:
        found = stepward.workflows.run(run_id)
    output.answer(found, workflow_view.show_run, as_json=as_json)


def tail(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Follow a run's tasks until it has ended."""
    with connect(url, key) as stepward:
        tail_workflow(stepward, run_id, as_json=as_json)


def tail_workflow(stepward: Stepward, run_id: str, *, as_json: bool) -> None:
    """Print each task of a run as it begins and ends, then the run's outcome.

    Args:
        stepward: The client.
        run_id: The run of a workflow.
        as_json: Print one task per line, and at last the run without its tasks.
    """
    feed = workflow_view.TaskFeed()
    for seen in stepward.workflows.watch(run_id):
        for task in feed.changes(seen):
            if as_json:
                output.write_json(task, one_line=True)
            else:
                output.write_lines([workflow_view.task_line(task)])
    if as_json:
        output.write_json({name: value for name, value in seen.items() if name != "tasks"}, one_line=True)
    else:
        output.write_lines(workflow_view.outcome(seen))


def cancel(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Cancel a run and the runs within it."""
    with connect(url, key) as stepward:
        ended = stepward.workflows.cancel(run_id)
    run_view.show_status(ended, as_json=as_json)


def rerun(
    run_id: RunArgument,
    rehearse: KeptRehearseOption = None,
    charge: KeptChargeOption = None,
    wait: WaitOption = True,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a failed run again from where it failed."""
    with connect(url, key) as stepward:
        begun = stepward.workflows.rerun(run_id, rehearse=rehearse, charge=charge)
        _follow(stepward, begun, wait=wait, as_json=as_json)


def _registered(stepward: Stepward, given: str, *, as_json: bool) -> tuple[str, str]:
    source = source_of(given)
    with document_refusals_of(source, as_json=as_json):
        kept = stepward.workflows.register(source.document)
    put_datasets(stepward, given, as_json=as_json)
    return kept["id"], kept["version"]


def _follow(stepward: Stepward, begun: WorkflowRun, *, wait: bool, as_json: bool) -> None:
    """Follow a run until it has ended, if that is wanted; Ctrl-C leaves it running."""
    if not wait:
        run_view.show_started(begun, "workflows", as_json=as_json)
        return
    try:
        ended = stepward.workflows.wait(begun["id"], math.inf) if as_json else _watch(stepward, begun)
    except KeyboardInterrupt:
        run_view.show_left_running(begun["id"], "workflows")
        raise
    if as_json:
        output.write_json(ended)
    raise typer.Exit(exit_code_of_run(ended["status"]))


def _watch(stepward: Stepward, begun: WorkflowRun) -> WorkflowRun:
    """Print tasks as they begin and end, then the run's outcome."""
    console, feed, seen = output.out(), workflow_view.TaskFeed(), begun
    output.say(f"{begun['id']}  {begun['workflow']} {begun['version']}", style="bold")
    with console.status("working…") as status:
        for seen in stepward.workflows.watch(begun["id"]):
            status.update(workflow_view.progress(seen))
            for task in feed.changes(seen):
                console.print(workflow_view.task_line(task), soft_wrap=True)
    output.say("")
    output.write_lines(workflow_view.outcome(seen))
    return seen


def _show_page(page: WorkflowRunPage, workflow_id: str) -> None:
    if page["runs"]:
        run_view.show_runs([*page["runs"]])
    else:
        output.say(f"No runs yet. Start one: stepward workflows run {workflow_id} --input '…'")
    output.more(page["next_cursor"])


def attach(app: typer.Typer) -> None:
    """Put the commands on the group."""
    app.command("run", help=RUN_HELP, epilog=EPILOG)(run)
    app.command("runs", help=RUNS_HELP, epilog=EPILOG)(runs)
    app.command("show-run", help=SHOW_HELP, epilog=EPILOG)(show_run)
    app.command("tail", help=TAIL_HELP, epilog=EPILOG)(tail)
    app.command("cancel", help=CANCEL_HELP, epilog=EPILOG)(cancel)
    app.command("rerun", help=RERUN_HELP, epilog=EPILOG)(rerun)
