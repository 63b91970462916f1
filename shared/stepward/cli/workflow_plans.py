"""Implement `stepward workflows plan`, `graph`, `compile` and `diff`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepward.cli import output, workflow_view
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect, connect_or_offline
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.input_files import FileOrIdArgument, VersionOption, document_refusals_of, is_file, source_of
from stepward.sdk import Stepward, WorkflowDiff, WorkflowPlan
from stepward.sdk.workflow_shapes import Drawn

if TYPE_CHECKING:
    from stepward.cli.offline import Offline

PLAN_HELP = """Plan a run: states, time and cost at least and at most, and what is proved.

Registers and starts nothing. A * marks the critical path.

Examples:

  stepward workflows plan billing.yaml

  stepward workflows plan billing-flow --json | jq .plan.states
"""
GRAPH_HELP = """Draw a workflow, as Mermaid text or as an SVG.

Examples:

  stepward workflows graph billing.yaml

  stepward workflows graph billing-flow --as svg --out billing.svg
"""
COMPILE_HELP = """Show the state machine that a workflow becomes, in the States Language of AWS.

Examples:

  stepward workflows compile billing.yaml | jq '.States | keys'

  stepward workflows compile billing-flow --out billing.asl.json
"""
DIFF_HELP = """Compare two versions: tasks, order, plan, and what they may reach.

A file is compared with the newest version that is registered; an id needs --from.

Examples:

  stepward workflows diff billing.yaml

  stepward workflows diff billing-flow --from 1.0.0 --to 1.1.0 --json
"""


class Form(StrEnum):
    """Formats of drawings."""

    MERMAID = "mermaid"
    SVG = "svg"


OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write to this file. Default: standard output."),
]


def plan(
    given: FileOrIdArgument,
    version: VersionOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan a run: effort, time and cost."""
    with connect_or_offline(url, key) as stepward:
        made = _planned(stepward, given, version, as_json=as_json)
    output.answer(made, _show_plan, as_json=as_json)


def graph(
    given: FileOrIdArgument,
    form: Annotated[Form, typer.Option("--as", help="The format of the drawing.")] = Form.MERMAID,
    out: OutOption = None,
    version: VersionOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a workflow."""
    kind: Drawn = "svg" if form is Form.SVG else "mermaid"
    with connect_or_offline(url, key) as stepward:
        text = _drawn(stepward, given, kind, version, as_json=as_json)
    if as_json:
        text = output.json_text({"form": form.value, "text": text})
    _put(text, out)


def compiled(
    given: FileOrIdArgument,
    out: OutOption = None,
    version: VersionOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the state machine that a workflow becomes."""
    with connect_or_offline(url, key) as stepward:
        text = _drawn(stepward, given, "asl", version, as_json=as_json)
    _put(text, out)


def diff(
    given: FileOrIdArgument,
    before: Annotated[
        str | None, typer.Option("--from", metavar="VERSION", help="The first version.")
    ] = None,
    after: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="The second version. Default: the newest.")
    ] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions."""
    with connect(url, key) as stepward:
        found = _compared(stepward, given, before, after, as_json=as_json)
    if as_json:
        output.write_json(found)
    else:
        output.write_lines(workflow_view.lines_of(found))


def _planned(stepward: Stepward | Offline, given: str, version: str | None, *, as_json: bool) -> WorkflowPlan:
    if not is_file(given):
        return stepward.workflows.planned(given, version=version)
    source = source_of(given)
    with document_refusals_of(source, as_json=as_json):
        return stepward.workflows.plan(source.document)


def _drawn(
    stepward: Stepward | Offline, given: str, kind: Drawn, version: str | None, *, as_json: bool
) -> str:
    if not is_file(given):
        return stepward.workflows.drawn(given, kind, version=version)
    source = source_of(given)
    with document_refusals_of(source, as_json=as_json):
        return stepward.workflows.draw(source.document, kind)


def _compared(
    stepward: Stepward, given: str, before: str | None, after: str | None, *, as_json: bool
) -> WorkflowDiff:
    if not is_file(given):
        if before is None:
            raise InputError("The version is missing.", "Give --from 1.0.0, or a file.")
        return stepward.workflows.diff(given, before, after=after)
    if before or after:
        raise InputError("A file is compared with the newest version.", "Leave --from and --to out.")
    source = source_of(given)
    with document_refusals_of(source, as_json=as_json):
        # The plan's own word for the id: the document may be YAML or JSON, and say it in either way.
        workflow = stepward.workflows.plan(source.document)["plan"]["workflow"]
        return stepward.workflows.diff_with(str(workflow), source.document)


def _show_plan(made: WorkflowPlan) -> None:
    head, *rows = made["table"]["tasks"]
    table = output.table(*head)
    for row in rows:
        table.add_row(*(output.as_cell(cell) for cell in row))
    output.show(table)
    output.say("")
    summary = [(label, value) for label, value in made["table"]["summary"] if label != "note"]
    output.fields(dict(summary))
    output.say("")
    for proof in made["proofs"]:
        style = "green" if proof["holds"] else "red" if proof["is_required"] else "yellow"
        word = "holds" if proof["holds"] else "does not hold"
        output.say(f"{proof['name']} {word}: {proof['words']}", style=style)
    for label, value in made["table"]["summary"]:
        if label == "note":
            output.say(f"Note: {value}.", style="dim")


def _put(text: str, out: Path | None) -> None:
    if out is None:
        output.write_text(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}.", "Check the path.") from error
    output.say(f"{out} is written.")


def attach(app: typer.Typer) -> None:
    """Put the commands on the group."""
    app.command("plan", help=PLAN_HELP, epilog=EPILOG)(plan)
    app.command("graph", help=GRAPH_HELP, epilog=EPILOG)(graph)
    app.command("compile", help=COMPILE_HELP, epilog=EPILOG)(compiled)
    app.command("diff", help=DIFF_HELP, epilog=EPILOG)(diff)
