"""Set, list and remove prices of models that hold for all tenants: `python -m stepward.runtime.model_prices set --model ours/llama-4 --input 1 --output 2`.

Run by an operator with AWS credentials and REGISTRY_TABLE set (stepward-<stage>-registry). Dollars are for a million
tokens; what `set` is not given stays as it is. A tenant's own price, which it sets itself or `--tenant` sets for it,
takes precedence. Calls are priced by a new one within a minute; what was booked keeps its cost.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from stepward.agents.costs import TenantPrices
from stepward.domain.errors import InvalidRequest, StepwardError
from stepward.domain.ids import TENANT_PATTERN, check_id
from stepward.domain.money import FIGURES, FiguresMissing, PriceChange
from stepward.runtime.container import container

_OF_SET: Final = (*FIGURES, "discount", "source", "as-of")


def main(arguments: list[str] | None = None) -> int:
    """Set, list or remove prices and print those that hold then; return the exit code."""
    chosen = _read(arguments)
    try:
        if chosen.tenant is not None:
            check_id("tenant", chosen.tenant, TENANT_PATTERN)
        sys.stdout.write(_done(chosen, container.costs.prices))
    except StepwardError as error:
        sys.stderr.write(f"{error.code}: {error.detail}{f' Fix: {error.fix}.' if error.fix else ''}\n")
        return 1
    return 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stepward.runtime.model_prices", description=__doc__)
    parser.add_argument("action", choices=("set", "ls", "remove"))
    parser.add_argument("--model", help="its id or an alias; of a provider of your own: PROVIDER/MODEL")
    parser.add_argument("--tenant", help="whose own price is meant; without it the one of all tenants")
    for name in FIGURES:
        unit = "a number of tokens" if name in ("context", "max-output") else "dollars a million tokens"
        parser.add_argument(f"--{name}", help=unit)
    parser.add_argument("--discount", help="percent that a contract takes off; 0 takes a discount away")
    parser.add_argument("--source", help="where the price comes from")
    parser.add_argument("--as-of", help="the day on which it was read, as 2026-11-30. Default: today")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    if chosen.action != "ls" and not chosen.model:
        parser.error(f"{chosen.action} needs --model")
    if chosen.action != "set" and any(_said(chosen, name) is not None for name in _OF_SET):
        parser.error("figures, --discount, --source and --as-of are for set only")
    return chosen


def _said(chosen: argparse.Namespace, option: str) -> str | None:
    found: str | None = getattr(chosen, option.replace("-", "_"))
    return found


def _done(chosen: argparse.Namespace, prices: TenantPrices) -> str:
    if chosen.action == "set":
        prices.put(chosen.tenant, chosen.model, _body(chosen, prices.current(chosen.tenant, chosen.model)))
    elif chosen.action == "remove":
        prices.remove(chosen.tenant, chosen.model)
    return _shown(prices.agreed(chosen.tenant), as_json=chosen.json)


def _body(chosen: argparse.Namespace, current: dict[str, Any] | None) -> dict[str, Any]:
    figures = {name: value for name in FIGURES if (value := _said(chosen, name)) is not None}
    change = PriceChange(figures, chosen.discount, chosen.source, chosen.as_of)
    try:
        return change.over(current, f"{container.ports.clock.now():%Y-%m-%d}")
    except FiguresMissing as error:
        raise InvalidRequest(
            str(error), field="model", fix=f"add {' and '.join(f'{one} USD' for one in error.options)}"
        ) from error


def _shown(agreed: list[dict[str, Any]], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(agreed, indent=2) + "\n"
    lines = [f"{one['model']}  {_figures(one)}  {one['source']}, {one['as_of']}\n" for one in agreed]
    return "".join(lines) or "no agreed prices: the list's hold\n"


def _figures(price: dict[str, Any]) -> str:
    percent = price["terms"].get("percent") if price["calculator"] == "discount" else None
    less = f" less {percent} %" if percent is not None else ""
    return f"in {price['input_usd_per_mtok']}, out {price['output_usd_per_mtok']}{less}"


if __name__ == "__main__":
    sys.exit(main())
