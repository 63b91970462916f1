"""Implement `stepward run`, and `stepward agents ls`, `show` and `register`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from stepward.cli import output, run_view, timeline
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, exit_code_of_run
from stepward.cli.input_files import DefinitionFile, read_input, refusals_of
from stepward.cli.options import (
    AgentArgument,
    ChargeOption,
    CursorOption,
    IdempotencyKeyOption,
    LimitOption,
    RehearseOption,
    at_least,
)
from stepward.domain.documents.yaml_text import write_yaml
from stepward.sdk import AgentDetail, AgentPage, Run, Stepward
from stepward.sdk.shapes import AgentState, Capability

app = typer.Typer(no_args_is_help=True, help="List, read and register agents.", epilog=EPILOG)

RUN_HELP = """Start an agent and follow it to its answer.

Shows each turn and tool call as it happens, then the answer, its cost and its totals.

Examples:

  stepward run support-refunds --input '{"ticket_id": "T-1001"}'

  stepward run support-refunds --input @ticket.json --json

  echo "Summarise this." | stepward run my-agent --input -

  stepward run support-refunds --input @ticket.json --no-wait

  stepward run support-refunds --input @ticket.json --no-rehearse

  stepward run my-agent --input "What does it say?" --attach uploads/invoice.pdf
"""
LS_HELP = """List the agents that can be started, each in its newest version, or those of another state.

Examples:

  stepward agents ls

  stepward agents ls --capability API_INTEGRATION --tag eu

  stepward agents ls --state VALIDATING

  stepward agents ls --json | jq -r '.agents[].id'
"""
SHOW_HELP = """Show an agent's definition.

Examples:

  stepward agents show support-refunds

  stepward agents show support-refunds --version 1.0.0 --json
"""
REGISTER_HELP = """Register one version of an agent from its file.

A version never changes: registering it again with the same content is fine, with other content it is a
Conflict, and the fix is a new `version:`.

Examples:

  stepward agents register my-agent.yaml

  stepward agents register my-agent.json --json
"""
DeadlineOption = Annotated[
    int | None,
    typer.Option(
        "--deadline", parser=at_least(1), metavar="SECONDS", help="Stop the run after this much active time."
    ),
]
AttachOption = Annotated[
    list[str] | None,
    typer.Option("--attach", metavar="FILE_KEY", help="Attach a data file for its model. Repeatable."),
]


def run(  # noqa: PLR0913, PLR0917  a command's options are its parameters
    agent: AgentArgument,
    given: Annotated[
        str, typer.Option("--input", "-i", metavar="TEXT|JSON|@FILE|-", help="The agent's input.")
    ],
    wait: Annotated[
        bool,
        typer.Option(
            "--wait/--no-wait", "--follow/--no-follow", help="Follow the run to its end, or only start it."
        ),
    ] = True,
    version: Annotated[str | None, typer.Option(help="A version or a label. Default: the newest.")] = None,
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
            run_view.show_started(begun, "runs", as_json=as_json)
            return
        ended = follow_to_end(stepward, begun, as_json=as_json)
    raise typer.Exit(exit_code_of_run(ended["status"]))


def follow_to_end(stepward: Stepward, begun: Run, *, as_json: bool) -> Run:
    """Follow a run until it has ended; Ctrl-C leaves it running."""
    try:
        if not as_json:
            watch(stepward, begun)
        ended = stepward.wait(begun["id"], timeout_s=math.inf)
    except KeyboardInterrupt:
        run_view.show_left_running(begun["id"], "runs")
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


def _show_answer(ended: Run) -> None:
    output.say("")
    timeline.show_verdict(ended)


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(  # noqa: PLR0913, PLR0917  a command's options are its arguments
    capability: Annotated[Capability | None, typer.Option(help="Only agents with this capability.")] = None,
    module: Annotated[str | None, typer.Option(help="Only agents of this module.")] = None,
    category: Annotated[str | None, typer.Option(help="Only agents of this category.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only agents with this tag.")] = None,
    state: Annotated[
        AgentState | None, typer.Option(help="Only agents in this state. Default: READY.")
    ] = None,
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the agents."""
    with connect(url, key) as stepward:
        page = stepward.agents(
            capability=capability,
            module=module,
            category=category,
            tag=tag,
            state=state,
            limit=limit,
            cursor=cursor,
        )
    narrowed = any((capability, module, category, tag, state, cursor))
    output.answer(page, lambda found: _show_page(found, narrowed=narrowed), as_json=as_json)


@app.command("show", help=SHOW_HELP, epilog=EPILOG)
def show(
    agent_id: AgentArgument,
    version: Annotated[str | None, typer.Option(help="A version or a label. Default: the newest.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an agent's definition."""
    with connect(url, key) as stepward:
        detail = stepward.agent(agent_id, version=version)
    output.answer(detail, _show_detail, as_json=as_json)


@app.command("register", help=REGISTER_HELP, epilog=EPILOG)
def register(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The agent's file: .yaml, .yml or .json.")],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register one version of an agent from its file."""
    definition = DefinitionFile.read(file)
    with refusals_of(definition, as_json=as_json), connect(url, key) as stepward:
        registered = stepward.register_agent(definition.body)
    if as_json:
        output.write_json(registered)
        return
    output.say(f"{registered['id']} {registered['version']} is registered.", style="green")
    output.say(f"Run it: stepward run {registered['id']} --input '…'", style="dim")


def _show_page(page: AgentPage, *, narrowed: bool) -> None:
    if not page["agents"]:
        none_yet = "No agents yet. Register one: stepward agents register my-agent.yaml"
        output.say("No such agents. All of them: stepward agents ls" if narrowed else none_yet)
        output.more(page["next_cursor"])
        return
    table = output.table("agent", "version", "model", "name", "age", right=("age",))
    for each in page["agents"]:
        name = each.get("name") or ""
        cells = (each["id"], each["version"], each["model"], name, output.age(each["created_at"]))
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)
    output.more(page["next_cursor"])


def _show_detail(detail: AgentDetail) -> None:
    known = {"agent": detail["id"], "uid": detail.get("uid"), "state": detail.get("view")}
    output.fields({**known, "version": detail["version"], "registered": detail["created_at"]})
    if refusal := detail.get("refusal"):
        where = f" ({refusal['field']})" if refusal["field"] else ""
        output.say(f"{refusal['version']} was refused{where}: {refusal['detail']}", style="red")
    if detail["agent"] is None:
        return
    output.say("")
    output.say(write_yaml(detail["agent"]))


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("run", help=RUN_HELP, epilog=EPILOG)(run)
