"""Implement `stepward runs pause`, `resume`, `fork` and `diff`, and `stepward status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stepward.cli import options, output, run_view, runs
from stepward.cli.agents import follow_to_end
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError, exit_code_of_run
from stepward.cli.input_files import read_text
from stepward.cli.options import KeptChargeOption, KeptRehearseOption, RunArgument, at_least
from stepward.domain.json_text import NotJson, read_json
from stepward.sdk import Run
from stepward.sdk.control import RunDiff, SystemStatus

PAUSE_HELP = """Pause a run after its current step; it releases its slot.

Examples:

  stepward runs pause run_01…
"""
RESUME_HELP = """Resume a paused run.

Examples:

  stepward runs resume run_01…
"""
FORK_HELP = """Start a run that goes on from a turn of another, with another prompt, model or result, and follow it.

The turns up to that one are taken over as they are; they are not paid again. `runs diff` shows what it changed.

Examples:

  stepward runs fork run_01… --turn 2

  stepward runs fork run_01… --turn 2 --prompt @other-prompt.md --model deep

  stepward runs fork run_01… --turn 1 --result 'call_1_1={"value": "7"}' --no-wait
"""
DIFF_HELP = """Compare two runs: the turns that differ, and what both cost.

Examples:

  stepward runs diff run_01… run_02…

  stepward runs diff run_01… run_02… --json | jq .first_difference
"""
STATUS_HELP = """Show active, waiting and queued runs, and free slots.

Examples:

  stepward status --json
"""
TurnOption = Annotated[
    int,
    typer.Option(
        "--turn", parser=at_least(1), metavar="N", help="The last turn to take over, counted from 1."
    ),
]
PromptOption = Annotated[
    str | None, typer.Option("--prompt", metavar="TEXT|@FILE", help="Another prompt from here on.")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="Another model from here on.")]
ResultOption = Annotated[
    list[str] | None,
    typer.Option("--result", metavar="CALL=JSON", help="Another result of a call. Repeatable."),
]
WaitOption = Annotated[
    bool,
    typer.Option("--wait/--no-wait", "--follow/--no-follow", help="Follow the run, or only start it."),
]


def attach(app: typer.Typer) -> None:
    """Add the commands to `stepward` and to its group `runs`."""
    app.command("status", help=STATUS_HELP, epilog=EPILOG)(status)
    runs.app.command("pause", help=PAUSE_HELP, epilog=EPILOG)(pause)
    runs.app.command("resume", help=RESUME_HELP, epilog=EPILOG)(resume)
    runs.app.command("fork", help=FORK_HELP, epilog=EPILOG)(fork)
    runs.app.command("diff", help=DIFF_HELP, epilog=EPILOG)(diff)


def pause(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Pause a run."""
    with connect(url, key) as stepward:
        _show(stepward.control.pause(run_id), f"Go on: stepward runs resume {run_id}", as_json=as_json)


def resume(
    run_id: RunArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Resume a paused run."""
    with connect(url, key) as stepward:
        _show(stepward.control.resume(run_id), f"Follow it: stepward runs tail {run_id}", as_json=as_json)


def fork(  # noqa: PLR0913, PLR0917  a command's options are its parameters
    run_id: RunArgument,
    turn: TurnOption,
    prompt: PromptOption = None,
    model: ModelOption = None,
    result: ResultOption = None,
    rehearse: KeptRehearseOption = None,
    charge: KeptChargeOption = None,
    wait: WaitOption = True,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a run that goes on from a turn of another."""
    prompt = read_text(Path(prompt[1:])) if prompt and prompt.startswith("@") else prompt
    results = dict(_result(text) for text in result or [])
    with connect(url, key) as stepward:
        begun = stepward.control.fork(
            run_id, turn, prompt=prompt, model=model, results=results, rehearse=rehearse, charge=charge
        )
        if not wait:
            _show(begun, f"Follow it: stepward runs tail {begun['id']}", as_json=as_json)
            return
        ended = follow_to_end(stepward, begun, as_json=as_json)
    if not as_json:
        output.say(f"Compare: stepward runs diff {run_id} {begun['id']}", style="dim")
    raise typer.Exit(exit_code_of_run(ended["status"]))


def diff(
    run_id: RunArgument,
    other: Annotated[
        str,
        typer.Argument(
            metavar="OTHER", help="The run to compare with.", autocompletion=options.complete_runs
        ),
    ],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs."""
    with connect(url, key) as stepward:
        found = part = stepward.control.diff(run_id, other)
        while part["next"] is not None:
            part = stepward.control.diff(run_id, other, after=part["next"])
            found = {**found, "turns": [*found["turns"], *part["turns"]], "next": part["next"]}
    output.answer(found, _show_diff, as_json=as_json)


def status(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Show the system's status."""
    with connect(url, key) as stepward:
        found = stepward.control.status()
    if as_json:
        output.write_json(found)
    else:
        output.fields(_status_lines(found))


def _result(text: str) -> tuple[str, Any]:
    call, is_there, content = text.partition("=")
    try:
        return call, read_json(content)
    except NotJson as error:
        what = f"is not JSON: {error}" if is_there else "names no result"
        raise InputError(
            f"--result {text[:80]!r} {what}.", "Write it as call_1_1='{\"value\": 7}'."
        ) from error


def _show(run: Run, hint: str, *, as_json: bool) -> None:
    run_view.show_status(run, hint, as_json=as_json, paused="yes" if run.get("paused") else "no")


def _show_diff(found: RunDiff) -> None:
    table = output.table("", "left", "right")
    sides = (found["left"], found["right"])
    table.add_row("run", *(output.as_cell(side["id"]) for side in sides))
    table.add_row("status", *(output.status_text(side["status"]) for side in sides))
    table.add_row("turns", *(str(side["totals"]["turns"]) for side in sides))
    table.add_row("cost", *(output.usd(side["totals"]["cost_usd_micros"]) for side in sides))
    for name, pair in found["start"].items():
        table.add_row(name, *(_cell(pair[side]) for side in ("left", "right")))
    for turn in found["turns"]:
        for name in ("text", "calls", "results"):
            if name in turn:
                table.add_row(
                    f"turn {turn['turn']} {name}", *(_cell(turn[name][s]) for s in ("left", "right"))
                )
    output.show(table)
    first = found["first_difference"]
    output.say("The turns are the same." if first is None else f"They part at turn {first}.", style="dim")


def _cell(value: Any) -> Any:
    return output.as_cell("-" if value is None else output.clip(output.as_line(value)))


def _status_lines(found: SystemStatus) -> dict[str, object]:
    queue, slots, account = found["in_line"], found["slots"], found["account"]
    ranks = ", ".join(f"{count} {name}" for name, count in queue.items() if name != "total" and count)
    oldest = found["oldest_in_line_s"]
    return {
        "active": f"{found['active']} of {slots['limit']}, {slots['free']} free",
        "waiting": str(found["waiting"]),
        "queued": f"{queue['total']}{f' ({ranks})' if ranks else ''}",
        "oldest": None if oldest is None else f"{oldest:,.0f} s in the queue",
        "account": f"{account['active']} of {account['limit']} active",
    }
