"""Implement `stepward run`: start an agent, follow it, print its answer."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from stepward.cli import output, timeline
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, FAILED, OK
from stepward.cli.input_files import read_input
from stepward.cli.options import (
    AgentArgument,
    ChargeOption,
    IdempotencyKeyOption,
    RehearseOption,
    at_least,
)
from stepward.sdk import Run, Stepward

HELP = """Start an agent and follow it to its answer.

Shows each turn and tool call as it happens, then the answer, its cost and its totals.

Examples:

  stepward run support-refunds --input '{"ticket_id": "T-1001"}'

  stepward run support-refunds --input @ticket.json --json

  echo "Summarise this." | stepward run my-agent --input -

  stepward run support-refunds --input @ticket.json --no-wait

  stepward run support-refunds --input @ticket.json --no-rehearse

  stepward run my-agent --input "What does it say?" --attach uploads/invoice.pdf
"""
DeadlineOption = Annotated[
    int | None,
    typer.Option(
        "--deadline", parser=at_least(1), metavar="SECONDS", help="Stop the run after this much active time."
    ),
]
AttachOption = Annotated[
    list[str] | None,
    typer.Option("--attach", metavar="FILE_KEY", help="Show its model this data file too. Repeatable."),
]


def run(  # noqa: PLR0913, PLR0917  a command's options are its parameters
    agent: AgentArgument,
    given: Annotated[
        str, typer.Option("--input", "-i", metavar="TEXT|JSON|@FILE|-", help="What the agent is to work on.")
    ],
    wait: Annotated[
        bool,
        typer.Option(
            "--wait/--no-wait", "--follow/--no-follow", help="Follow the run to its end, or only start it."
        ),
    ] = True,
    version: Annotated[str | None, typer.Option(help="A version of the agent. Default: the newest.")] = None,
    deadline_s: DeadlineOption = None,
    idempotency_key: IdempotencyKeyOption = None,
    rehearse: RehearseOption = None,
    charge: ChargeOption = None,
    attach_: AttachOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start an agent and follow it to its answer."""
    what = read_input(given)
    with connect(url, key) as stepward:
        begun = stepward.start_run(
            agent,
            what,
            version=version,
            deadline_s=deadline_s,
            idempotency_key=idempotency_key,
            rehearse=rehearse,
            charge=charge,
            attachments=attach_ or (),
        )
        if not wait:
            _show_started(begun, as_json=as_json)
            return
        ended = follow_to_end(stepward, begun, as_json=as_json)
    raise typer.Exit(OK if ended["status"] == "COMPLETED" else FAILED)


def follow_to_end(stepward: Stepward, begun: Run, *, as_json: bool) -> Run:
    """Follow a run until it has ended; Ctrl-C leaves it running."""
    try:
        if not as_json:
            watch(stepward, begun)
        ended = stepward.wait(begun["id"], timeout_s=math.inf)
    except KeyboardInterrupt:
        _show_left_running(begun["id"])
        raise
    output.answer(ended, _show_answer, as_json=as_json)
    return ended


def watch(stepward: Stepward, begun: Run) -> None:
    """Print the events of a run as they come, with a spinner between them on a terminal."""
    console = output.out()
    output.say(f"{begun['id']}  {begun['agent']} {begun['version']}", style="bold")
    with console.status("working…") as status:
        for event in stepward.follow(begun["id"]):
            for line in timeline.lines_of(event):
                console.print(line, soft_wrap=True)
            status.update(f"working… event {event['seq']}")


def _show_started(begun: Run, *, as_json: bool) -> None:
    if as_json:
        output.write_json(begun)
        return
    output.fields({"run": begun["id"], "status": output.status_text(begun["status"])})
    output.say(f"Follow it: stepward runs tail {begun['id']}", style="dim")


def _show_answer(ended: Run) -> None:
    output.say("")
    timeline.show_verdict(ended)


def _show_left_running(run_id: str) -> None:
    output.err().print(
        f"\nThe run goes on. Follow it: stepward runs tail {run_id} · stop it: stepward runs cancel {run_id}",
        soft_wrap=True,
    )


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("run", help=HELP, epilog=EPILOG)(run)
