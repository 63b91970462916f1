"""Implement `stepward costs`, `stepward budgets` and `stepward agents estimate`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from stepward.cli import output
from stepward.cli.agents import app as agents_app
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.cli.input_files import read_input
from stepward.cli.options import AgentArgument, YesOption, confirm
from stepward.sdk.costs import BudgetState, Sums

BUDGETS = typer.Typer(no_args_is_help=True, help="List, set and remove budgets.", epilog=EPILOG)
COSTS_HELP = """Show what was spent: on models, on tools, on AWS.

Examples:

  stepward costs

  stepward costs --by agent --from 2026-11-01 --to 2026-11-30 --json
"""
LS_HELP = """List the budgets with what remains of each.

Examples:

  stepward budgets ls --json
"""
SET_HELP = """Set a budget, in dollars: of the tenant, of each day, of each month, or of one agent.

Examples:

  stepward budgets set day 20

  stepward budgets set agent 5 --agent support-refunds
"""
RM_HELP = """Remove a budget.

Examples:

  stepward budgets rm day

  stepward budgets rm agent --agent support-refunds
"""
ESTIMATE_HELP = """Estimate what a run would cost: least, expected and most. Starts nothing.

Examples:

  stepward agents estimate support-refunds --input '{"ticket_id": "T-1001"}'
"""
NAMELESS = "(none)"
"""The name of costs without an agent or model (of a workflow itself), or without a workflow (of agents)."""


class ByWord(StrEnum):
    """Groupings of costs."""

    tenant = "tenant"
    agent = "agent"
    model = "model"
    workflow = "workflow"
    day = "day"


class ScopeWord(StrEnum):
    """Scopes of budgets."""

    tenant = "tenant"
    day = "day"
    month = "month"
    agent = "agent"


ScopeArgument = Annotated[ScopeWord, typer.Argument(metavar="SCOPE", help="tenant, day, month or agent.")]
AgentOption = Annotated[str | None, typer.Option("--agent", help="The agent, for a budget of scope agent.")]


def attach(app: typer.Typer) -> None:
    """Add the commands about money."""
    app.command("costs", help=COSTS_HELP, epilog=EPILOG)(costs)
    app.add_typer(BUDGETS, name="budgets")
    agents_app.command("estimate", help=ESTIMATE_HELP, epilog=EPILOG)(estimate)


def estimate(
    agent: AgentArgument,
    given: Annotated[str, typer.Option("--input", help="Text, JSON, @file, or - for standard input.")],
    version: Annotated[str | None, typer.Option(help="A version or a label. Default: the newest.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate a run's cost."""
    with connect(url, key) as stepward:
        found = stepward.costs.estimate(agent, read_input(given), version=version)
    if as_json:
        output.write_json(found)
        return
    table = output.table("", "model", "AWS", "turns", "tokens in", "tokens out")
    for name, figures in (
        ("least", found["least"]),
        ("expected", found["expected"]),
        ("most", found["most"]),
    ):
        if figures:
            table.add_row(*(output.as_cell(cell) for cell in _figure_cells(name, figures)))
    output.show(table)
    if found["expected"]:
        output.say(f"Expected by {output.plural(found['based_on_runs'], 'completed run')}.", style="dim")
    for note in found["notes"]:
        output.print_wrapped(f"- {note}", style="dim")


def costs(
    by: Annotated[ByWord, typer.Option(help="Group by tenant, agent, model, workflow or day.")] = ByWord.day,
    first: Annotated[
        str | None,
        typer.Option("--from", help="The first UTC day, YYYY-MM-DD. Default: the first of this month."),
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last UTC day. Default: today.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show costs by group."""
    with connect(url, key) as stepward:
        report = stepward.costs.report(by=by.value, first=first, last=last)
    if as_json:
        output.write_json(report)
        return
    right = ("runs", "turns", "in", "out", "model", "tools", "AWS", "together")
    table = output.table(by.value, *right, right=right, whole=False)
    for row in [*report["costs"], {by.value: "all", **report["total"]}]:
        table.add_row(*(output.as_cell(cell) for cell in _cells(by.value, row)))
    output.show(table)
    output.say("in, out: tokens", style="dim")
    if said := _saved(report["total"]):
        output.say(said, style="dim")


@BUDGETS.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List the budgets."""
    with connect(url, key) as stepward:
        found = stepward.budgets.list()
    if as_json:
        output.write_json({"budgets": found})
        return
    if not found:
        output.say("No budgets: only the agents' own cost limits hold. Set one: stepward budgets set day 20")
        return
    table = output.table("budget", "period", "limit", "remaining", "committed", "%", "alerts")
    for each in found:
        table.add_row(*(output.as_cell(cell) for cell in _budget_cells(each)))
    output.show(table)


@BUDGETS.command("set", help=SET_HELP, epilog=EPILOG)
def set_budget(
    scope: ScopeArgument,
    limit_usd: Annotated[str, typer.Argument(metavar="USD", help="The limit in dollars.")],
    agent: AgentOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set a budget."""
    _check_scope(scope, agent)
    with connect(url, key) as stepward:
        state = stepward.budgets.set(scope.value, limit_usd, agent=agent)
    if as_json:
        output.write_json(state)
        return
    output.say(
        f"{_name(state)}: {output.usd(state['limit_usd_micros'])}, {output.usd(state['remaining_usd_micros'])} remain.",
        style="green",
    )


def _check_scope(scope: ScopeWord, agent: str | None) -> None:
    if scope is ScopeWord.agent and not agent:
        raise InputError("A budget of scope agent is one agent's.", "Name it: --agent AGENT.")
    if scope is not ScopeWord.agent and agent:
        raise InputError(
            f"A budget of scope {scope.value} is no agent's.",
            f"Leave --agent out, or set that of the agent: stepward budgets set agent USD --agent {agent}.",
        )


@BUDGETS.command("rm", help=RM_HELP, epilog=EPILOG)
def remove(
    scope: ScopeArgument,
    agent: AgentOption = None,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a budget."""
    _check_scope(scope, agent)
    confirm(
        f"Remove the budget {scope.value}{f' of {agent}' if agent else ''}? Nothing limits these costs then.",
        yes=yes,
    )
    with connect(url, key) as stepward:
        stepward.budgets.remove(scope.value, agent=agent)
    if as_json:
        output.write_json({"removed": {"scope": scope.value, "id": agent or ""}})
    else:
        output.say(f"{scope.value}{f' {agent}' if agent else ''} has no budget any more.", style="green")


def _cells(by: str, row: dict[str, Any]) -> list[str]:
    money = [output.usd(row[f"{payee}_usd_micros"]) for payee in ("model", "tool", "aws", "total")]
    return [
        str(row[by]) or NAMELESS,
        *(f"{row[name]:,}" for name in ("runs", "turns", "input_tokens", "output_tokens")),
        *money,
    ]


def _saved(sums: Sums) -> str:
    """Describe the response cache's savings; empty if there are none or the stage is older."""
    hits = sums.get("response_cache_hits", 0)
    if not hits:
        return ""
    turns = "1 turn" if hits == 1 else f"{hits:,} turns"
    saved = f"{output.usd(sums['saved_usd_micros'])} and {sums['saved_tokens']:,} tokens"
    return f"The response cache answered {turns} and saved {saved}."


def _figure_cells(name: str, figures: dict[str, int]) -> list[str]:
    money = [output.usd(figures[f"{payee}_usd_micros"]) for payee in ("model", "aws")]
    return [name, *money, *(f"{figures[count]:,}" for count in ("turns", "input_tokens", "output_tokens"))]


def _budget_cells(state: BudgetState) -> list[str]:
    money = [
        output.usd(state["limit_usd_micros"]),
        output.usd(state["remaining_usd_micros"]),
        output.usd(state["committed_usd_micros"]),
    ]
    alerts = ", ".join(f"{level} % {at[:16]}" for level, at in sorted(state["alerts"].items()))
    return [_name(state), state["period"] or "always", *money, str(state["percent"]), alerts]


def _name(state: BudgetState) -> str:
    return f"{state['scope']} {state['id']}".strip()
