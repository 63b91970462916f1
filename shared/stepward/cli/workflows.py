"""Implement `stepward workflows`: check, register, list, show and remove workflows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stepward.cli import output, workflow_plans, workflow_runs, workflow_types
from stepward.cli.commands_for_routes import in_commands
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect, connect_or_offline
from stepward.cli.data import put_datasets
from stepward.cli.exit_codes import EPILOG, FAILED, OK
from stepward.cli.input_files import (
    FileArgument,
    Source,
    VersionOption,
    document_refusals_of,
    shown,
    source_of,
)
from stepward.cli.options import CursorOption, LimitOption, WorkflowArgument, YesOption, confirm
from stepward.domain.documents.yaml_text import write_yaml
from stepward.sdk import WorkflowDetail, WorkflowPage, WorkflowProblem, WorkflowVersion
from stepward.sdk.workflows import WorkflowClient

app = typer.Typer(
    no_args_is_help=True, help="Check, plan, register, run, watch, stop and remove workflows.", epilog=EPILOG
)
Found = tuple[Source, tuple[WorkflowProblem, ...]]
"""A document, and the problems found in it."""
REGISTER_HELP = """Register a version of a workflow and create its state machine.

The same version with the same content changes nothing. All problems of the file are reported at once.

Examples:

  stepward workflows register billing.yaml

  python billing_flow.py | stepward workflows register -
"""
VALIDATE_HELP = """Check workflows' files; prints a line for each problem: file:line:column: task: what (fix).

Nothing is registered. Exits 1 if there is a problem. Without a server, names that it would look up are warnings.

Examples:

  stepward workflows validate billing.yaml

  stepward workflows validate workflows/*.yaml --json | jq -r '.problems[].code'
"""
LS_HELP = """List the workflows, each by its newest version.

Examples:

  stepward workflows ls

  stepward workflows ls --json | jq -r '.workflows[].id'
"""
SHOW_HELP = """Show one version: its status and its document.

Examples:

  stepward workflows show billing-flow

  stepward workflows show billing-flow --version 1.0.0 --json | jq .definition > billing.json
"""
SCHEMA_HELP = """Print the JSON Schema of workflows, by which editors complete and check files.

Examples:

  stepward workflows schema > workflow.schema.json

  sed -i '1i # yaml-language-server: $schema=workflow.schema.json' billing.yaml
"""
RM_HELP = """Remove one version, which no run uses, with its state machine.

Examples:

  stepward workflows rm billing-flow 1.0.0
"""


@app.command("register", help=REGISTER_HELP, epilog=EPILOG)
def register(
    file: FileArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Register a version of a workflow and create its state machine."""
    source = source_of(file)
    with connect(url, key) as stepward, document_refusals_of(source, as_json=as_json):
        kept = stepward.workflows.register(source.document)
        put_datasets(stepward, file, as_json=as_json)
    output.answer(kept, _show_status, as_json=as_json)
    raise typer.Exit(FAILED if kept["status"] == "REFUSED" else OK)


@app.command("validate", help=VALIDATE_HELP, epilog=EPILOG)
def validate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Files, YAML or JSON; - is standard input.")
    ],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report all problems of workflows' files."""
    sources = [source_of(file) for file in files]
    with connect_or_offline(url, key) as stepward:
        known = stepward.workflows
        found = [(source, known.problems(source.document)) for source in sources]
        doubts = [
            (source, known.warnings(source.document))
            for source in sources
            if not isinstance(known, WorkflowClient)
        ]
    if as_json:
        report = {"problems": _as_json(found), **({"warnings": _as_json(doubts)} if doubts else {})}
        output.write_json(report)
    else:
        _show_problems(found, {source.name: len(some) for source, some in doubts})
        for source, some in doubts:
            for one in some:
                output.print_wrapped(
                    f"{in_commands(one.as_diagnostic(source.name))} [warning]", style="yellow"
                )
    raise typer.Exit(FAILED if any(problems for _, problems in found) else OK)


def _as_json(found: list[Found]) -> list[dict[str, Any]]:
    return [shown(source, one) for source, some in found for one in some]


def _show_problems(found: list[Found], doubts: dict[str, int]) -> None:
    for source, problems in found:
        for problem in problems:
            output.print_wrapped(in_commands(problem.as_diagnostic(source.name)))
        if not problems:
            count = doubts.get(source.name, 0)
            rest = f", as far as that is known without a server ({count} left)" if count else ""
            output.say(f"{source.name}: nothing is wrong{rest}.", style="green")


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(
    limit: LimitOption = None,
    cursor: CursorOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the workflows."""
    with connect(url, key) as stepward:
        page = stepward.workflows.list(limit=limit, cursor=cursor)
    output.answer(page, _show_page, as_json=as_json)


@app.command("show", help=SHOW_HELP, epilog=EPILOG)
def show(
    workflow_id: WorkflowArgument,
    version: VersionOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one version with its document."""
    with connect(url, key) as stepward:
        found = stepward.workflows.show(workflow_id, version=version)
    output.answer(found, _show_version, as_json=as_json)


@app.command("schema", help=SCHEMA_HELP, epilog=EPILOG)
def schema(url: UrlOption = None, key: KeyOption = None) -> None:
    """Print the JSON Schema of workflows."""
    with connect_or_offline(url, key) as stepward:
        output.write_json(stepward.workflows.schema())


@app.command("rm", help=RM_HELP, epilog=EPILOG)
def rm(
    workflow_id: WorkflowArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version, as in 1.0.0.")],
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove one version."""
    confirm(f"Remove version {version} of {workflow_id}? Its number is not used again.", yes=yes)
    with connect(url, key) as stepward:
        stepward.workflows.remove(workflow_id, version)
    if as_json:
        output.write_json({"id": workflow_id, "version": version, "removed": True})
    else:
        output.say(f"{workflow_id} {version} is gone.")


def _show_status(kept: WorkflowVersion) -> None:
    status = output.status_text(kept["status"])
    machine = f" ({output.plural(kept['states'], 'state')})" if kept["status"] == "READY" else ""
    output.write_lines([output.joined(f"{kept['id']} {kept['version']} is ", status, f"{machine}.")])
    output.fields({"detail": kept.get("detail")})
    if kept["status"] == "PUBLISHING":
        output.say(f"Its machine is being made. See it: stepward workflows show {kept['id']}", style="dim")


def _show_page(page: WorkflowPage) -> None:
    if not page["workflows"]:
        output.say("No workflows yet. Register one: stepward workflows register billing.yaml")
        return
    table = output.table("workflow", "version", "status", "tasks", "name", "age", right=("tasks", "age"))
    for each in page["workflows"]:
        # A list leaves out fields at their defaults.
        status = output.status_text(each.get("status", "PUBLISHING"))
        named = (each["id"], each["version"], status, each.get("tasks", ""), each["name"])
        cells = (*named, output.age(each["created_at"]))
        table.add_row(*(output.as_cell(cell) for cell in cells))
    output.show(table)
    output.more(page["next_cursor"])


def _show_version(found: WorkflowDetail) -> None:
    output.fields(
        {
            "workflow": f"{found['id']} {found['version']}",
            "status": output.status_text(found["status"]),
            "detail": found.get("detail"),
            "states": found["states"],
            "created": f"{found['created_at']} by {found['created_by']}",
            "versions": ", ".join(found["versions"]),
        }
    )
    output.say("")
    document = write_yaml(found["definition"])
    output.say(document.rstrip())


workflow_plans.attach(app)
workflow_runs.attach(app)
workflow_types.attach(app)
