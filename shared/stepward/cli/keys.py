"""Implement `stepward keys`: create, list and revoke the laptop's API keys.

On AWS the operator runs a command. There is no route for it: with one, a key could make others, and lock
everyone else out.
"""

from __future__ import annotations

from typing import Annotated

import typer

from stepward.cli.checkout import Laptop, laptop_here, run_operator_command
from stepward.cli.connection import JsonOption
from stepward.cli.exit_codes import EPILOG
from stepward.cli.options import YesOption, confirm

app = typer.Typer(
    no_args_is_help=True,
    help="Create, list and revoke API keys of the laptop that runs here.",
    epilog=EPILOG,
)
_ELSEWHERE = (
    "The operator of a stage on AWS runs, with AWS credentials: IDENTITY_TABLE=stepward-<stage>-identity "
    "python -m stepward.runtime.issue_key --tenant T --principal P (or --list, or --revoke ID)."
)
TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Default: the laptop's own.", show_default=False)
]
CREATE_HELP = """Create a key and print it; it is shown only once.

Examples:

  stepward keys create --principal boss

  stepward keys create --principal ci --expires-in 90d
"""
LS_HELP = """List a tenant's keys, newest first, without their secrets.

Examples:

  stepward keys ls

  stepward keys ls --json
"""
REVOKE_HELP = """Revoke a key; it is refused from its next request on.

Examples:

  stepward keys revoke 0123456789abcdef

  stepward keys revoke 0123456789abcdef --yes
"""


@app.command("create", help=CREATE_HELP, epilog=EPILOG)
def create(
    principal: Annotated[str, typer.Option("--principal", help="The holder's name, as in logs and runs.")],
    tenant: TenantOption = None,
    expires_in: Annotated[
        str | None,
        typer.Option(
            "--expires-in",
            metavar="TIME",
            help="How long it is valid: 90d, 12h or 30m.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Create a key."""
    laptop = laptop_here(_ELSEWHERE)
    words = ["--tenant", tenant or laptop.tenant, "--principal", principal]
    if expires_in is not None:
        words += ["--expires-in", expires_in]
    return _issue(laptop, words, as_json=as_json)


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(tenant: TenantOption = None, as_json: JsonOption = False) -> int:
    """List keys."""
    laptop = laptop_here(_ELSEWHERE)
    return _issue(laptop, ["--list", "--tenant", tenant or laptop.tenant], as_json=as_json)


@app.command("revoke", help=REVOKE_HELP, epilog=EPILOG)
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys ls` shows it.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> int:
    """Revoke a key."""
    laptop = laptop_here(_ELSEWHERE)
    confirm(f"Revoke the key {key_id}? Requests with it are refused from then on.", yes=yes)
    return _issue(laptop, ["--revoke", key_id], as_json=as_json)


def _issue(laptop: Laptop, words: list[str], *, as_json: bool) -> int:
    tables = {"IDENTITY_TABLE": laptop.identity_table}
    return run_operator_command(laptop, "issue_key", words, tables, as_json=as_json)
