"""Implement `stepward models` and `stepward providers`.

On AWS the operator manages providers' keys by a command. There is no route for it: whose key pays for models is the
operator's to decide.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.text import Text

from stepward.cli import output
from stepward.cli.checkout import laptop_here, run_operator_command
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect_or_offline
from stepward.cli.exit_codes import EPILOG, SetupError
from stepward.cli.options import YesOption, confirm
from stepward.sdk.catalog import Model

MODELS_HELP = """List the models that agents can use, or show one.

Needs no running laptop; with one, prices that you have agreed are in it.

Examples:

  stepward models

  stepward models balanced

  stepward models --json | jq -r '.models[] | select(.status != "active") | .id'
"""
_STYLES: Final = {"ends_soon": "yellow", "ended": "red"}
_PRICES: Final = {
    "input": "input_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "cache read": "cache_read_usd_per_mtok",
    "cache write 5m": "cache_write_usd_per_mtok",
    "cache write 1h": "cache_write_1h_usd_per_mtok",
}


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("models", help=MODELS_HELP, epilog=EPILOG)(models)


def models(
    model: Annotated[str | None, typer.Argument(metavar="[ID]", help="A model's id, or an alias.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List models, or show one."""
    with connect_or_offline(url, key, "No server is known, and listing models without one") as stepward:
        if model is None:
            listed = stepward.models.list()
            output.answer({"models": listed}, lambda found: _list(found["models"]), as_json=as_json)
        else:
            output.answer(stepward.models.show(model), _show, as_json=as_json)


def _list(found: list[Model]) -> None:
    table = output.table("model", "provider", "context", "in", "out", "ends", right=("context", "in", "out"))
    for one in found:
        style = _STYLES.get(one["status"], "")
        cells = [one["id"], one["provider"], _tokens(one), *_in_and_out(one), one.get("ends_on", "")]
        table.add_row(*(Text(output.plain(cell), style=style) for cell in cells))
    output.show(table)
    for one in found:
        if one["aliases"]:
            output.say(f"{', '.join(one['aliases'])}: {one['id']}", style="dim")
    output.say("context: tokens; in, out: dollars per million tokens", style="dim")


def _show(one: Model) -> None:
    price = one.get("price", {})
    output.fields(
        {
            "model": one["id"],
            "alias": ", ".join(one["aliases"]),
            "provider": one["provider"],
            "its id there": one["vendor_id"],
            "status": Text(one["status"].replace("_", " "), style=_STYLES.get(one["status"], "green")),
            "ends on": one.get("ends_on"),
            "successor": one.get("successor"),
            "context": _counted(one.get("context_tokens"), "tokens"),
            "input": _counted(one.get("max_input_tokens"), "tokens at most"),
            "output": _counted(one.get("max_output_tokens"), "tokens at most"),
            "a call": _counted(one.get("max_call_s"), "s at most"),
            **_capabilities(one.get("capabilities", {})),
            "note": one.get("note"),
            "from": f"{one['source']}, {one['as_of']}",
        }
    )
    if price:
        _show_price(price, agreed=one["price_agreed"])


def _show_price(price: dict[str, Any], *, agreed: bool) -> None:
    long = price.get("long_context") or {}
    above = f"above {long['above_prompt_tokens']:,}" if long else ""
    titles = ("dollars per million tokens", *(("price", above) if long else ("price",)))
    table = output.table(*titles, right=titles[1:])
    for name, key in _PRICES.items():
        if key in price:
            table.add_row(
                *(output.as_cell(cell) for cell in (name, price[key], *([long.get(key, "")] if long else [])))
            )
    output.say("")
    output.show(table)
    output.print_wrapped(
        f"{'Agreed' if agreed else 'By list'}: {price['source']}, {price['as_of']}", style="dim"
    )


def _capabilities(found: dict[str, Any]) -> dict[str, str]:
    """Describe the capabilities that the model has."""
    can = [name.replace("_", " ") for name, has in found.items() if has is True]
    lists = {
        "thinking": found.get("thinking"),
        "effort": found.get("efforts"),
        "cache": found.get("cache_ttls"),
    }
    said = {
        name: ", ".join(word.replace("_", " ") for word in words) for name, words in lists.items() if words
    }
    return {"can": ", ".join(can), **said, "temperature": str(found.get("temperature", "")).replace("_", " ")}


def _counted(number: int | None, unit: str) -> str | None:
    return None if number is None else f"{number:,} {unit}"


def _tokens(one: Model) -> str:
    return f"{one['context_tokens']:,}" if "context_tokens" in one else ""


def _in_and_out(one: Model) -> tuple[str, str]:
    price = one.get("price", {})
    return str(price.get("input_usd_per_mtok", "")), str(price.get("output_usd_per_mtok", ""))


providers_app = typer.Typer(
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
        metavar="PROVIDER", help="anthropic, openai, or a name from \\[providers.NAME] of the stage."
    ),
]
TenantOption = Annotated[
    str | None,
    typer.Option(
        "--tenant", help="The tenant with its own keys. Default: tenants without any.", show_default=False
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Set the key even if the stage has no such provider yet.")
]
IdOption = Annotated[str | None, typer.Option("--id", help="The key's id.", show_default=False)]
SET_KEY_HELP = """Set the only key of a provider; it is prompted for, or read from standard input.

Examples:

  stepward providers set anthropic

  stepward providers set openai --tenant acme < key.txt
"""
ADD_KEY_HELP = """Add a key of a provider, or replace the one with that id.

Examples:

  stepward providers add anthropic --id second < key.txt
"""
LIST_KEYS_HELP = """List keys by id, date and last four characters; never a whole key.

Examples:

  stepward providers ls

  stepward providers ls --json
"""
REMOVE_KEY_HELP = """Remove a key; functions use it for five more minutes at most.

Examples:

  stepward providers remove anthropic --id second --yes
"""
_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""What is too much is refused here, in words that do not repeat it: it may be the key."""


@providers_app.command("set", help=SET_KEY_HELP, epilog=EPILOG, context_settings=_WORDS)
def set_key(
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


@providers_app.command("add", help=ADD_KEY_HELP, epilog=EPILOG, context_settings=_WORDS)
def add_key(
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


@providers_app.command("ls", help=LIST_KEYS_HELP, epilog=EPILOG)
def list_keys(
    provider: Annotated[
        str | None,
        typer.Argument(metavar="[PROVIDER]", help="Only keys of this provider.", show_default=False),
    ] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> int:
    """List keys."""
    return _operate("ls", provider, tenant, None, as_json=as_json)


@providers_app.command("remove", help=REMOVE_KEY_HELP, epilog=EPILOG)
def remove_key(
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
            "There are too many arguments.",
            "The key itself is asked for, or piped in; it is never an argument.",
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
    return run_operator_command(laptop_here(_ELSEWHERE), "provider_keys", words, {}, as_json=as_json)
