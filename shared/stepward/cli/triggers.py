"""Implement `stepward triggers`: list, create, test and remove triggers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from stepward.cli import output, trigger_fire
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, FAILED, OK, InputError
from stepward.cli.input_files import DefinitionFile, read_input, refusals_of
from stepward.cli.options import CursorOption, LimitOption, TriggerArgument, YesOption, at_least, confirm
from stepward.domain.documents.yaml_text import write_yaml
from stepward.sdk.triggers import Trigger, TriggerPage, TriggerTrial

app = typer.Typer(
    no_args_is_help=True,
    help="List, create, test, fire and remove triggers: files, events, schedules, webhooks.",
    epilog=EPILOG,
)
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The trigger's file: .yaml, .yml or .json.")
]
LS_HELP = """List triggers, and what matched none today.

Examples:

  stepward triggers ls

  stepward triggers ls --json | jq -r '.triggers[] | select(.kind=="schedule") | .id'
"""
SHOW_HELP = """Show one trigger: its fields, what it did, when it fires next.

Examples:

  stepward triggers show inbox

  stepward triggers show inbox --json | jq .state
"""
ADD_HELP = """Create a trigger from its file; with --replace, change an existing one.

A webhook's secret is shown once, here.

Examples:

  stepward triggers add inbox.yaml

  stepward triggers add inbox.yaml --replace
"""
TRY_HELP = """Show what an event would start, without starting it.

Examples:

  stepward triggers try inbox --event '{"key": "inbox/1.json", "name": "1.json"}'

  stepward triggers try hook --event @call.json
"""


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the triggers."""
    with connect(url, key) as stepward:
        page = stepward.triggers.list(limit=limit, cursor=cursor)
    output.answer(page, _show_page, as_json=as_json)


@app.command("show", help=SHOW_HELP, epilog=EPILOG)
def show(
    trigger_id: TriggerArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Show one trigger."""
    with connect(url, key) as stepward:
        trigger = stepward.triggers.show(trigger_id)
    output.answer(trigger, _show_trigger, as_json=as_json)


@app.command("add", help=ADD_HELP, epilog=EPILOG)
def add(
    file: FileArgument,
    replace: Annotated[bool, typer.Option("--replace", help="Change the existing trigger.")] = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a trigger from its file, or change it."""
    definition = DefinitionFile.read(file)
    with refusals_of(definition, as_json=as_json), connect(url, key) as stepward:
        put = stepward.triggers.replace if replace else stepward.triggers.add
        trigger = put(definition.body)
    if as_json:
        output.write_json(trigger)
        return
    output.say(f"{trigger['id']} is {'changed' if replace else 'there'}.", style="green")
    output.fields({"path": trigger.get("path"), "secret": trigger.get("secret")})
    if trigger.get("secret"):
        output.say("Keep the secret now: it is not shown again.", style="yellow")


@app.command("try", help=TRY_HELP, epilog=EPILOG)
def attempt(
    trigger_id: TriggerArgument,
    event: Annotated[
        str, typer.Option("--event", "-e", metavar="JSON|@FILE|-", help="What the template sees as $event.")
    ],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an event would start."""
    given = read_input(event)
    if not isinstance(given, dict):
        raise InputError("--event is not a JSON object.", 'Give one, as in {"key": "inbox/1.json"}.')
    with connect(url, key) as stepward:
        trial = stepward.triggers.attempt(trigger_id, given)
    output.answer(trial, _show_trial, as_json=as_json)
    raise typer.Exit(OK if trial["starts"] else FAILED)


@app.command("rotate", epilog=EPILOG)
def rotate(
    trigger_id: TriggerArgument,
    overlap_s: Annotated[
        int,
        typer.Option(
            "--overlap", parser=at_least(0), metavar="SECONDS", help="How long the old secret stays valid."
        ),
    ] = 3_600,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a webhook a new secret, which is shown once."""
    with connect(url, key) as stepward:
        secret = stepward.triggers.rotate(trigger_id, overlap_s=overlap_s)
    if as_json:
        output.write_json({"id": trigger_id, "secret": secret})
    else:
        output.fields({"trigger": trigger_id, "secret": secret})


@app.command("rm", epilog=EPILOG)
def rm(
    trigger_id: TriggerArgument,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a trigger; the runs that it started go on."""
    confirm(f"Remove the trigger {trigger_id}?", yes=yes)
    with connect(url, key) as stepward:
        stepward.triggers.remove(trigger_id)
    if as_json:
        output.write_json({"id": trigger_id, "removed": True})
    else:
        output.say(f"{trigger_id} is gone.")


trigger_fire.attach(app)


def _show_page(page: TriggerPage) -> None:
    if page["triggers"]:
        table = output.table("trigger", "kind", "starts", "on", "waits for", "age", right=("age",))
        for each in page["triggers"]:
            waits = output.clip(output.as_line(_settings(each)))
            cells = (each["id"], each["kind"], _starts(each), "yes" if each["enabled"] else "no", waits)
            table.add_row(*(output.as_cell(cell) for cell in (*cells, output.age(each["created_at"]))))
        output.show(table)
        output.more(page["next_cursor"])
    else:
        output.say("No triggers yet. Make one: stepward triggers add inbox.yaml")
    today = page["unmatched_today"]
    if count := today["objects"] + today["events"]:
        last = f"{count} came today and matched no trigger; the last: {today['last']}"
        output.say(last, style="yellow")


def _starts(each: Mapping[str, Any]) -> str:
    """Name the agent or the workflow that is started; both may have the same id."""
    return f"workflow {each['workflow']}" if each.get("workflow") else str(each.get("agent"))


def _settings(trigger: Trigger) -> Any:
    return trigger.get(trigger["kind"]) or trigger.get("path") or ""


def _show_trigger(trigger: Trigger) -> None:
    state = trigger.get("state")
    shown = {name: value for name, value in trigger.items() if name not in ("state", "next")}
    output.say(write_yaml(shown))
    output.say("")
    if state:
        counts = f"{state['started']} started, {state['duplicate']} repeated, {state['failed']} failed"
        error = state["last_error"]
        output.fields(
            {
                "fired": counts,
                "last": state["last_fired_at"],
                "last run": state["last_run"],
                "last error": f"{error['at']} {error['code']}: {error['detail']}" if error else None,
                "next": ", ".join(trigger.get("next", [])),
            }
        )


def _show_trial(trial: TriggerTrial) -> None:
    error = trial["error"]
    if error:
        output.say(f"{error['code']}: {error['detail']}", style="red")
        output.fields({"fix": error.get("fix")})
        return
    why = "" if trial["starts"] else "nothing: the event does not fit" if not trial["fits"] else "nothing: it is disabled"  # fmt: skip
    start = trial["would_start"] or {}
    output.fields({"starts": why or f"{_starts(start)} {start.get('version')}"})
    output.fields({"input": output.as_line(start.get("input", ""))})
