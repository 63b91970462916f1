"""`stepward prompts …`: labels that name a version, share runs among several, and are rolled back."""

from __future__ import annotations

from typing import Annotated

import typer

from stepward.cli import output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.options import PromptArgument
from stepward.cli.prompts import app
from stepward.domain.numbers import NotANumber, whole_of
from stepward.sdk.prompt_shapes import PromptArm, PromptArmCounts, PromptLabel, PromptLabels

__all__ = ["app"]
LabelArgument = Annotated[str, typer.Argument(metavar="LABEL", help="Such as prod.")]

LABEL_HELP = """Point a label to a version; runs that start after it are told that version.

Several versions with a weight each share the runs; one run is always told the same.

Examples:

  stepward prompts label support-system prod 1.1.0

  stepward prompts label support-system prod 1.0.0=90 1.1.0=10
"""


@app.command("labels", help="List a prompt's labels.", epilog=EPILOG)
def labels(
    prompt_id: PromptArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """List a prompt's labels."""
    with connect(url, key) as stepward:
        found = stepward.prompts.labels(prompt_id)
    output.answer(found, _show_labels, as_json=as_json)


@app.command("label", help=LABEL_HELP, epilog=EPILOG)
def label(
    prompt_id: PromptArgument,
    name: LabelArgument,
    versions: Annotated[
        list[str], typer.Argument(metavar="VERSION[=WEIGHT]...", help="Such as 1.0.0, or 1.0.0=90 1.1.0=10.")
    ],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Point a label to a version, or to several."""
    arms = [_arm(one) for one in versions]
    with connect(url, key) as stepward:
        if len(arms) == 1:
            pointed = stepward.prompts.set_label(prompt_id, name, arms[0]["version"])
        else:
            pointed = stepward.prompts.set_label(prompt_id, name, arms=arms)
    output.answer(pointed, _show_label, as_json=as_json)


@app.command("rollback", help="Point a label to where it pointed before.", epilog=EPILOG)
def rollback(
    prompt_id: PromptArgument,
    name: LabelArgument,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Roll a label back by one step."""
    with connect(url, key) as stepward:
        listed = stepward.prompts.labels(prompt_id)["labels"]
        rev = next((one["rev"] for one in listed if one["label"] == name), None)
        pointed = stepward.prompts.roll_back(prompt_id, name, rev=rev)
    output.answer(pointed, _show_label, as_json=as_json)


@app.command("arms", help="Compare versions by what their runs came to.", epilog=EPILOG)
def arms(
    prompt_id: PromptArgument,
    label: Annotated[str | None, typer.Option(help="Only runs that were started by this label.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show counts for each label and version."""
    with connect(url, key) as stepward:
        found = stepward.prompts.arms(prompt_id, label=label)
    output.answer(found, _show_arms, as_json=as_json)


@app.command("unlabel", help="Remove a label.", epilog=EPILOG)
def unlabel(
    prompt_id: PromptArgument,
    name: LabelArgument,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a label."""
    with connect(url, key) as stepward:
        stepward.prompts.remove_label(prompt_id, name)
    if as_json:
        output.write_json({"id": prompt_id, "label": name})
    else:
        output.say(f"{prompt_id} has no label {name} any more.", style="green")


def _arm(given: str) -> PromptArm:
    version, equals, weight = given.partition("=")
    try:
        return {"version": version, "weight": whole_of(weight) if equals else 1}
    except NotANumber as error:
        raise InputError(f"{given}: {error}.", "Write weights as whole numbers, as in 1.0.0=90.") from error


def _show_labels(found: PromptLabels) -> None:
    table = output.table("label", "version", "set", "by")
    for one in found["labels"]:
        cells = (one["label"], _pointed(one), one["set_at"], one["set_by"])
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)


def _show_arms(found: PromptArmCounts) -> None:
    if not found["arms"]:
        output.say("No run has ended with this prompt yet.")
        return
    table = output.table(
        "label",
        "version",
        "runs",
        "completed",
        "cost a run",
        "seconds",
        right=("runs", "completed", "seconds"),
    )
    for one in found["arms"]:
        rate = f"{100 * one['success_rate']:g} %"
        cost = output.usd(one["average_cost_usd_micros"])
        seconds = f"{one['average_active_ms'] / 1_000:g}"
        cells = (one["label"] or "", one["version"], one["runs"], rate, cost, seconds)
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)


def _show_label(pointed: PromptLabel) -> None:
    output.say(f"{pointed['label']} is {_pointed(pointed)} of {pointed['id']}.", style="green")


def _pointed(label: PromptLabel) -> str:
    if len(label["arms"]) == 1:
        return label["arms"][0]["version"]
    total = sum(arm["weight"] for arm in label["arms"])
    return ", ".join(f"{arm['version']} ({100 * arm['weight'] / total:g} %)" for arm in label["arms"])
