"""`stepward keys`: makes, lists and revokes the laptop's API keys, as the operator of a stage on AWS does by a command there.

No route of the API does it: whoever has a key could make others, and lock everybody else out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from stepward.cli.checkout import Laptop, find_checkout, find_laptop, venv_python
from stepward.cli.connection import JsonOption
from stepward.cli.exit_codes import EPILOG, SetupError
from stepward.cli.options import YesOption, confirm

app = typer.Typer(
    no_args_is_help=True,
    help="Make, list and revoke API keys of the laptop that runs here.",
    epilog=EPILOG,
)
_ELSEWHERE = (
    "Whoever operates a stage on AWS runs, with AWS credentials: IDENTITY_TABLE=stepward-<stage>-identity "
    "python -m stepward.runtime.issue_key --tenant T --principal P (or --list, or --revoke ID)."
)

TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Default: the laptop's own.", show_default=False)
]

CREATE_HELP = """Make a key and print it; it is shown once.

Examples:

  stepward keys create --principal boss

  stepward keys create --principal ci --expires-in 90d
"""
LS_HELP = """List the keys of a tenant, newest first, without what would open anything.

Examples:

  stepward keys ls

  stepward keys ls --json
"""
REVOKE_HELP = """Refuse a key from its next request on.

Examples:

  stepward keys revoke 0123456789abcdef

  stepward keys revoke 0123456789abcdef --yes
"""


@app.command("create", help=CREATE_HELP, epilog=EPILOG)
def create(
    principal: Annotated[str, typer.Option("--principal", help="Who holds it, as logs and runs name it.")],
    tenant: TenantOption = None,
    expires_in: Annotated[
        str | None,
        typer.Option(
            "--expires-in",
            metavar="TIME",
            help="How long it is good for: 90d, 12h or 30m.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Make a key."""
    laptop = _laptop()
    words = ["--tenant", tenant or laptop.tenant, "--principal", principal]
    if expires_in is not None:
        words += ["--expires-in", expires_in]
    return _operate(laptop, words, as_json=as_json)


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(tenant: TenantOption = None, as_json: JsonOption = False) -> int:
    """List keys."""
    laptop = _laptop()
    return _operate(laptop, ["--list", "--tenant", tenant or laptop.tenant], as_json=as_json)


@app.command("revoke", help=REVOKE_HELP, epilog=EPILOG)
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys ls` shows it.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> int:
    """Revoke a key."""
    laptop = _laptop()
    confirm(f"Revoke the key {key_id}? Whoever uses it is refused from then on.", yes=yes)
    return _operate(laptop, ["--revoke", key_id], as_json=as_json)


def _laptop() -> Laptop:
    """Find the laptop whose keys are meant: never another stage's, whatever the environment names."""
    laptop, url = find_laptop(), os.environ.get("STEPWARD_URL")
    if laptop is None or not laptop.alive:
        raise SetupError("No laptop runs here.", f"Start one with `stepward up`. {_ELSEWHERE}")
    if url and url.rstrip("/") != laptop.url.rstrip("/"):
        raise SetupError(f"STEPWARD_URL names {url}, which is not the laptop that runs here.", _ELSEWHERE)
    if not (laptop.endpoint and laptop.identity_table):
        raise SetupError("The laptop that runs here is an older one.", "Start `stepward up` again.")
    return laptop


def _operate(laptop: Laptop, words: list[str], *, as_json: bool) -> int:
    """Run the operator's command with the laptop's AWS in its environment, and hand on what it says and its code."""
    checkout = find_checkout()
    python = (venv_python(checkout) if checkout else None) or sys.executable
    aws = {
        "AWS_ENDPOINT_URL": laptop.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "laptop",
        "AWS_SECRET_ACCESS_KEY": "laptop",
        "IDENTITY_TABLE": laptop.identity_table,
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.startswith("STEPWARD_")
    }
    paths = {"PYTHONPATH": str(checkout / "shared")} if checkout else {}
    command = [str(python), "-m", "stepward.runtime.issue_key", *words, *(["--json"] if as_json else [])]
    return subprocess.run(command, env=kept | paths | aws, check=False).returncode  # noqa: S603  our own interpreter and module
