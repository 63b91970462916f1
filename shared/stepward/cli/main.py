"""Assemble the `stepward` command, and turn errors into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated

import typer
from typer import rich_utils
from typer.main import get_command

import stepward
from stepward.cli import (
    agent_checks,
    agents,
    costs,
    doctor,
    fake_llm,
    init,
    keys,
    local,
    logs,
    models,
    output,
    prices,
    prompt_labels,
    run_control,
    runs,
    tools,
    triggers,
    workflows,
)
from stepward.cli.approvals import app as approvals
from stepward.cli.data import app as data
from stepward.cli.exit_codes import EPILOG, OK, USAGE, exit_code_for
from stepward.sdk import StepwardError

HELP = """Run AI agents on AWS serverless: on this machine, or in your own account.

First steps, in a checkout:

  stepward up                                  the platform on this machine (leave it open)

  stepward agents ls                           what can run

  stepward run support-refunds --input '{"ticket_id": "T-1001"}'

  stepward doctor                              what is wrong, if something is

Against a stage on AWS: set STEPWARD_URL and STEPWARD_API_KEY. Every command takes --json.
"""
app = typer.Typer(
    no_args_is_help=True,
    help=HELP,
    epilog=EPILOG,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stepward {stepward.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Declare the options of `stepward` itself."""


local.attach(app)
init.attach(app)
agents.attach(app)
app.add_typer(agent_checks.app, name="agents")
app.add_typer(runs.app, name="runs")
run_control.attach(app)
app.add_typer(workflows.app, name="workflows")
app.add_typer(workflows.app, name="workflow", hidden=True)  # what it was called at first
app.add_typer(prompt_labels.app, name="prompts")
app.add_typer(triggers.app, name="triggers")
app.add_typer(data, name="data")
app.add_typer(tools.app, name="tools")
app.add_typer(approvals, name="approvals")
app.add_typer(keys.app, name="keys")
app.add_typer(models.providers_app, name="providers")
costs.attach(app)
app.add_typer(prices.app, name="prices")
models.attach(app)
logs.attach(app)
doctor.attach(app)
fake_llm.attach(app)


@cache
def _commands() -> Callable[..., object]:
    """Build the click command once a process: that takes longer than most commands do."""
    return get_command(app)


def invoke(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; our errors never show a traceback."""
    as_json = "--json" in arguments
    try:
        answer = _commands()(list(arguments), prog_name="stepward", standalone_mode=False)
    except StepwardError as error:
        output.report(error, as_json=as_json)
        return exit_code_for(error)
    except typer.TyperException as error:
        return _wrong_usage(error, as_json=as_json)
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    return answer if isinstance(answer, int) else OK


def _wrong_usage(error: typer.TyperException, *, as_json: bool) -> int:
    if as_json:
        output.write_json(
            output.problem("UsageError", error.format_message(), "See `--help` of the command.")
        )
    else:
        rich_utils.rich_format_error(error)  # type: ignore[arg-type]  # it takes all that Typer raises
    return error.exit_code or USAGE


def main() -> None:
    """Run the `stepward` command."""
    sys.exit(invoke(sys.argv[1:]))
