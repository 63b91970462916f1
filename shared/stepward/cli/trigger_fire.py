"""Implement `stepward triggers fire`: send a file, an event or a signed call.

It takes the way that it would take from outside.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from stepward.cli import output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.data import content_type_of, read_bytes
from stepward.cli.exit_codes import EPILOG, FAILED, OK, InputError
from stepward.cli.input_files import read_input
from stepward.cli.options import TriggerArgument
from stepward.domain.triggers import HOW_TO_FIRE
from stepward.sdk import Stepward
from stepward.sdk.triggers import Trigger, TriggerState

SEEN_WITHIN_S: Final = 30.0
POLL_S: Final = 0.5
HELP = """Fire a trigger for real: it starts what it names.

A file is put under the prefix of an s3 trigger, an event goes to the stage's bus, a webhook is called with a
signature. Shows the run, or why none was started. To see what would happen instead: `stepward triggers try`.

Examples:

  stepward triggers fire inbox --file order.json

  stepward triggers fire orders-in --event '{"detail-type": "order.placed", "detail": {"order": "SO-40120"}}'

  stepward triggers fire hook --event '{"order": "SO-40120"}' --secret whsec_…
"""


def fire(
    trigger_id: TriggerArgument,
    event: Annotated[
        str | None,
        typer.Option("--event", "-e", metavar="JSON|@FILE|-", help="The event, or a webhook's body."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The file for an s3 trigger.")] = None,
    secret: Annotated[
        str | None,
        typer.Option(envvar="STEPWARD_WEBHOOK_SECRET", help="A webhook's secret.", show_default=False),
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fire a trigger for real."""
    with connect(url, key) as stepward:
        trigger = stepward.triggers.show(trigger_id)
        if trigger["kind"] == "webhook":
            called = _call(stepward, trigger, event, secret)
            output.answer(called, lambda one: _show_run(one["run"], is_new=one["is_new"]), as_json=as_json)
            return
        send = _sender(stepward, trigger, event, file)
        before = _count(trigger.get("state"))
        send()
        state = _seen(stepward, trigger_id, before)
    output.answer(state, _show_state, as_json=as_json)
    raise typer.Exit(FAILED if _is_failure(state) else OK)


def _sender(
    stepward: Stepward, trigger: Trigger, event: str | None, file: Path | None
) -> Callable[[], object]:
    """Return the function that sends the file or the event, once its input is checked."""
    match trigger["kind"]:
        case "s3":
            if file is None:
                raise InputError(f"{trigger['id']} waits for a file.", "Give one: --file order.json")
            name, body = _key_for(trigger, file), read_bytes(file)
            return lambda: stepward.data.write(name, body, content_type_of(file))
        case "event":
            given = _object(trigger, event)
            return lambda: stepward.triggers.put_event(trigger["id"], given)
        case kind:
            raise InputError(
                f"{trigger['id']} is of kind {kind}, which no command fires.",
                HOW_TO_FIRE.get(kind, "look up its kind in the documentation").replace("ID", trigger["id"]),
            )


def _call(stepward: Stepward, trigger: Trigger, event: str | None, secret: str | None) -> Any:
    if not secret:
        raise InputError(
            f"{trigger['id']} is a webhook: its calls are signed.",
            "Give --secret, or set STEPWARD_WEBHOOK_SECRET; `stepward triggers rotate` makes a new one.",
        )
    body = _text(event) if event is not None else "{}"
    return stepward.triggers.call(
        trigger["path"], body.encode(), secret, at=datetime.now(UTC), call_id=f"cli-{uuid4().hex}"
    )


def _text(event: str) -> str:
    """Return a webhook's body as it was given: a text stays a text."""
    given = read_input(event)
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _key_for(trigger: Trigger, file: Path) -> str:
    wanted = trigger.get("s3", {})
    prefix, suffix = wanted.get("prefix", ""), wanted.get("suffix", "")
    if not file.name.endswith(suffix):
        raise InputError(
            f"{trigger['id']} waits for files that end with {suffix!r}; this is {file.name}.",
            "Rename the file.",
        )
    return f"{prefix}{file.name}"


def _object(trigger: Trigger, event: str | None) -> dict[str, Any]:
    given = read_input(event) if event is not None else None
    if not isinstance(given, dict):
        raise InputError(
            f"{trigger['id']} waits for an event.", 'Give one: --event \'{"detail-type": "…", "detail": {}}\''
        )
    return given


def _seen(stepward: Stepward, trigger_id: str, before: int) -> TriggerState:
    """Wait until the trigger has fired once more."""
    give_up_at = time.monotonic() + SEEN_WITHIN_S
    while time.monotonic() < give_up_at:
        state = stepward.triggers.show(trigger_id).get("state")
        if state and _count(state) > before:
            return state
        time.sleep(POLL_S)
    raise InputError(
        f"{trigger_id} has not fired within {SEEN_WITHIN_S:g} s.",
        f"Look again: stepward triggers show {trigger_id}; unmatched events: stepward triggers ls",
    )


def _count(state: TriggerState | None) -> int:
    return state["started"] + state["duplicate"] + state["failed"] if state else 0


def _is_failure(state: TriggerState) -> bool:
    error = state["last_error"]
    return bool(error and error["at"] == state["last_fired_at"])


def _show_state(state: TriggerState) -> None:
    error = state["last_error"]
    if error and _is_failure(state):
        output.say(f"{error['code']}: {error['detail']}", style="red")
    elif state["last_run"]:
        _show_run(state["last_run"], is_new=True)


def _show_run(run_id: str | None, *, is_new: bool) -> None:
    output.fields({"run": run_id, "was there": None if is_new else "yes: this event had started it"})
    if run_id:
        output.say(f"Follow it: stepward runs tail {run_id}", style="dim")


def attach(app: typer.Typer) -> None:
    """Put the command on the group."""
    app.command("fire", help=HELP, epilog=EPILOG)(fire)
