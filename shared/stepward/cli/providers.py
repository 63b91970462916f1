"""Implement `stepward providers`: manage providers' keys on the laptop.

On AWS the operator runs a command. There is no route for it: whose key pays for models is the operator's
to decide.
"""

from __future__ import annotations

from typing import Annotated

import typer

from stepward.cli.checkout import laptop_here, operate
from stepward.cli.connection import JsonOption
from stepward.cli.exit_codes import EPILOG, SetupError
from stepward.cli.options import YesOption, confirm

app = typer.Typer(
    no_args_is_help=True,
    help="Set, list and remove keys of model providers on the laptop that runs here.",
    epilog=EPILOG,
)
_STAGE = "laptop"
_ELSEWHERE = (
    "The operator of a stage on AWS runs, with AWS credentials: python -m stepward.runtime.provider_keys "
    "set --provider P --stage S (or add, ls, remove), the key on standard input."
)

ProviderArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROVIDER", help="anthropic, openai, or what \\[providers.NAME] of the stage names."
    ),
]
TenantOption = Annotated[
    str | None,
    typer.Option("--tenant", help="Whose own keys. Default: those of all who have none.", show_default=False),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Set the key even if the stage has no such provider yet.")
]
IdOption = Annotated[str | None, typer.Option("--id", help="What the key is called.", show_default=False)]

SET_HELP = """Set the only key of a provider; it is prompted for, or read from standard input.

Examples:

  stepward providers set anthropic

  stepward providers set openai --tenant acme < key.txt
"""
ADD_HELP = """Add a key of a provider, or replace the one with that id.

Examples:

  stepward providers add anthropic --id second < key.txt
"""
LS_HELP = """List keys by id, date and last four characters; never a whole key.

Examples:

  stepward providers ls

  stepward providers ls --json
"""
REMOVE_HELP = """Remove a key; functions use it for five more minutes at most.

Examples:

  stepward providers remove anthropic --id second --yes
"""

_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""What is too much is refused here, in words that do not repeat it: it may be the key."""


@app.command("set", help=SET_HELP, epilog=EPILOG, context_settings=_WORDS)
def set_(
    context: typer.Context,
    provider: ProviderArgument,
    tenant: TenantOption = None,
    key_id: IdOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Set a key."""
    _refuse_more(context)
    return _operate("set", provider, tenant, key_id, force=force, as_json=as_json)


@app.command("add", help=ADD_HELP, epilog=EPILOG, context_settings=_WORDS)
def add(
    context: typer.Context,
    provider: ProviderArgument,
    tenant: TenantOption = None,
    key_id: IdOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Add a key."""
    _refuse_more(context)
    return _operate("add", provider, tenant, key_id, force=force, as_json=as_json)


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(
    provider: Annotated[
        str | None, typer.Argument(metavar="[PROVIDER]", help="Only this one's.", show_default=False)
    ] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> int:
    """List keys."""
    return _operate("ls", provider, tenant, None, as_json=as_json)


@app.command("remove", help=REMOVE_HELP, epilog=EPILOG)
def remove(
    provider: ProviderArgument,
    tenant: TenantOption = None,
    key_id: IdOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> int:
    """Remove a key."""
    laptop_here(_ELSEWHERE)
    which = f"the key {key_id}" if key_id else "the key"
    confirm(f"Remove {which} of {provider}? Calls of its models may have none then.", yes=yes)
    return _operate("remove", provider, tenant, key_id, as_json=as_json)


def _refuse_more(context: typer.Context) -> None:
    if context.args:
        raise SetupError(
            "There are words too many.", "The key itself is asked for, or piped in; it is never an argument."
        )


def _operate(
    action: str,
    provider: str | None,
    tenant: str | None,
    key_id: str | None,
    *,
    as_json: bool,
    force: bool = False,
) -> int:
    options = {"--provider": provider, "--tenant": tenant, "--id": key_id, "--stage": _STAGE}
    words = [action, *(f"{name}={value}" for name, value in options.items() if value is not None)]
    words += ["--force"] if force else []
    return operate(laptop_here(_ELSEWHERE), "provider_keys", words, {}, as_json=as_json)
