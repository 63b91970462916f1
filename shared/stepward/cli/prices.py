"""Implement `stepward prices`: list, set and remove prices of models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from stepward.cli import output
from stepward.cli.checkout import laptop_here, run_operator_command
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError, SetupError
from stepward.cli.options import YesOption, confirm
from stepward.domain.money import FIGURES, FiguresMissing, PriceChange
from stepward.domain.nearest import nearest
from stepward.domain.numbers import is_written_as_json

HELP = """List, set and remove prices of models.

`stepward prices` alone lists them. A price that you set holds for your tenant.
"""
LS_HELP = """Show what models cost, in dollars per million tokens.

Examples:

  stepward prices ls

  stepward prices ls --json | jq '.prices[] | select(.agreed)'
"""
SET_HELP = """Set an agreed price; options that are not given stay as they are.

A model of a server of your own gets its first price this way, and can be used then. It holds for calls within a
minute; what was booked keeps its cost.

Examples:

  stepward prices set ours/llama-4 --input 1 --output 2

  stepward prices set balanced --discount 15 --source "our contract"

  stepward prices set ours/llama-4 --input 0.5 --all-tenants
"""
RM_HELP = """Remove an agreed price; the one for all tenants, or the list's, applies again.

Examples:

  stepward prices rm ours/llama-4
"""
_ELSEWHERE: Final = (
    "The operator of a stage on AWS runs, with AWS credentials: REGISTRY_TABLE=stepward-<stage>-registry "
    "python -m stepward.runtime.model_prices set --model M --input USD --output USD (or ls, remove)."
)
_SHOWN: Final = {
    "input": "input",
    "output": "output",
    "cache read": "cache_read",
    "cache write": "cache_write",
}
app = typer.Typer(help=HELP, epilog=EPILOG, invoke_without_command=True)
ModelArgument = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A model's id, an alias, or PROVIDER/MODEL of your own server."),
]
AllTenantsOption = Annotated[
    bool,
    typer.Option(
        "--all-tenants",
        help="Set it for all tenants without a price of their own; on the laptop that runs here only.",
    ),
]


def _read(text: str | float) -> str:
    """Check that a text is an amount as JSON has it, and return it as typed.

    It stays a text, so that no digit is lost.
    """
    if not is_written_as_json(str(text)) or str(text).startswith("-"):
        raise typer.BadParameter(f"{text!r} is not an amount; write digits, as in 0.25.")
    return str(text)


def _amount(option: str, what: str) -> object:
    return typer.Option(f"--{option}", parser=_read, metavar="USD", help=f"{what}, per million tokens.")


def _count(option: str, what: str) -> object:
    return typer.Option(f"--{option}", parser=_read, metavar="TOKENS", help=what)


@app.callback()
def listed(
    context: typer.Context, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """List prices where no subcommand is named."""
    if context.invoked_subcommand is None:
        ls(url, key, as_json)


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List the prices of models."""
    with connect(url, key) as stepward:
        found = stepward.prices.list()
    output.answer({"prices": found}, lambda answer: _list(answer["prices"]), as_json=as_json)


@app.command("set", help=SET_HELP, epilog=EPILOG)
def set_(  # noqa: PLR0913, PLR0917  a command's options are its parameters
    model: ModelArgument,
    read: Annotated[str | None, _amount("input", "What it reads")] = None,
    written: Annotated[str | None, _amount("output", "What it writes")] = None,
    cache_read: Annotated[str | None, _amount("cache-read", "What it reads from a cache")] = None,
    cache_write: Annotated[str | None, _amount("cache-write", "What a cache keeps for five minutes")] = None,
    cache_write_1h: Annotated[str | None, _amount("cache-write-1h", "What a cache keeps for an hour")] = None,
    context: Annotated[str | None, _count("context", "Its context window.")] = None,
    max_output: Annotated[str | None, _count("max-output", "Its longest reply.")] = None,
    discount: Annotated[
        str | None,
        typer.Option(parser=_read, metavar="PERCENT", help="Discount of a contract; 0 removes it."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the price comes from.", show_default=False)
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="When it was read. Default: today.")
    ] = None,
    all_tenants: AllTenantsOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Set an agreed price."""
    typed = dict(
        zip(
            FIGURES,
            (read, written, cache_read, cache_write, cache_write_1h, context, max_output),
            strict=True,
        )
    )
    figures = {name: value for name, value in typed.items() if value is not None}
    change = PriceChange(figures, discount, source, as_of)
    if not figures and discount is None and source is None and as_of is None:
        raise InputError("No price is given.", "Give --input and --output, or --discount.")
    if all_tenants:
        more = {"discount": discount, "source": source, "as-of": as_of}
        said = figures | {name: value for name, value in more.items() if value is not None}
        return _for_all("set", model, said, as_json=as_json)
    with connect(url, key) as stepward:
        known = stepward.prices.list()
        aliases = {alias: one["id"] for one in stepward.models.list() for alias in one["aliases"]}
        name = aliases.get(model, model)
        current = next((one for one in known if one["model"] == name), None)
        price = _changed(change, name, current, [one["model"] for one in known] + list(aliases))
        output.answer(stepward.prices.set(name, price), _show, as_json=as_json)
    return 0


@app.command("rm", help=RM_HELP, epilog=EPILOG)
def remove(
    model: ModelArgument,
    all_tenants: AllTenantsOption = False,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Go back to the price that holds for all."""
    question = f"Remove the agreed price of {model}? A model that is not listed cannot be used without one."
    if all_tenants:
        laptop_here(_ELSEWHERE)
        confirm(question, yes=yes)
        return _for_all("remove", model, {}, as_json=as_json)
    confirm(question, yes=yes)
    with connect(url, key) as stepward:
        stepward.prices.remove(model)
    removed: dict[str, str] = {"removed": model}
    output.answer(
        removed,
        lambda _: output.say(f"{model} has no agreed price any more.", style="green"),
        as_json=as_json,
    )
    return 0


def _changed(
    change: PriceChange, model: str, current: Mapping[str, Any] | None, known: list[str]
) -> dict[str, Any]:
    near = None if current or "/" in model else nearest(model, known)
    meant = f"Did you mean {near!r}? " if near else ""
    try:
        price = change.over(current, f"{datetime.now(UTC):%Y-%m-%d}")
    except FiguresMissing as error:
        raise InputError(
            f"There is no model {model!r} with a price yet.",
            f"{meant}To price a new one, give {' and '.join(error.options)} as well.",
        ) from error
    if current is None and "/" not in model:
        output.print_error(
            f"{meant}{model!r} is new and names no provider: the model of a server of yours is PROVIDER/MODEL."
        )
    return price


def _for_all(action: str, model: str, said: Mapping[str, str], *, as_json: bool) -> int:
    laptop = laptop_here(_ELSEWHERE)
    if not laptop.registry_table:
        raise SetupError("The laptop that runs here is an older one.", "Start `stepward up` again.")
    words = [action, f"--model={model}", *(f"--{name}={value}" for name, value in said.items())]
    return run_operator_command(
        laptop, "model_prices", words, {"REGISTRY_TABLE": laptop.registry_table}, as_json=as_json
    )


def _list(found: list[dict[str, Any]]) -> None:
    table = output.table("model", *_SHOWN, "as of", right=tuple(_SHOWN))
    for price in found:
        cells = [str(price.get(f"{name}_usd_per_mtok", "")) for name in _SHOWN.values()]
        mark = f"{price['as_of']}{' agreed' if price.get('agreed') else ''}"
        table.add_row(*(output.as_cell(c) for c in (price["model"], *cells, mark)))
    output.show(table)
    output.say("Dollars per million tokens.", style="dim")
    for source in dict.fromkeys(price["source"] for price in found):
        output.print_wrapped(f"From {source}", style="dim")


def _show(price: dict[str, Any]) -> None:
    percent = price.get("terms", {}).get("percent")
    output.fields(
        {
            "model": price["model"],
            "input": f"${price['input_usd_per_mtok']} per million tokens",
            "output": f"${price['output_usd_per_mtok']} per million tokens",
            "less": f"{percent} %" if percent is not None else None,
            "from": f"{price['source']}, {price['as_of']}",
        }
    )
    output.print_wrapped(
        "Calls are priced by it within a minute; what was booked keeps its cost.", style="dim"
    )
