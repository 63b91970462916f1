"""Implement `stepward tools`: list and show tools."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from stepward.cli import options, output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect
from stepward.cli.exit_codes import EPILOG

app = typer.Typer(
    no_args_is_help=True,
    help="List and show the tools that agents may use: built-in ones and your own.",
    epilog=EPILOG,
)
_SCHEMAS: tuple[Literal["config", "parameters"], ...] = ("config", "parameters")
LS_HELP = """List the tools.

Examples:

  stepward tools ls

  stepward tools ls --json | jq -r '.[] | select(.source!="gallery") | .name'
"""
SHOW_HELP = """Show one tool with the schemas of its settings and of its calls.

Examples:

  stepward tools show http_request

  stepward tools show order_tools.count_words --json | jq .parameters
"""


@app.command("ls", help=LS_HELP, epilog=EPILOG)
def ls(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List the tools."""
    with connect(url, key) as stepward:
        tools = stepward.tools.list()
    if as_json:
        output.write_json(tools)
        return
    rows = output.table("tool", "from", "effect", "what it does")
    for tool in tools:
        does = output.clip(tool["description"].split("\n")[0])
        rows.add_row(*map(output.as_cell, (tool["name"], tool["source"], tool["effect"], does)))
    output.show(rows)


@app.command("show", help=SHOW_HELP, epilog=EPILOG)
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TOOL",
            help="A name, or folder.function of your own.",
            autocompletion=options.complete_tools,
        ),
    ],
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one tool."""
    with connect(url, key) as stepward:
        tool = stepward.tools.show(name)
    if as_json:
        output.write_json(tool)
        return
    output.fields({name: value for name, value in tool.items() if name not in ("parameters", "config")})
    for part in _SCHEMAS:
        if part in tool:
            output.say(f"{part}:")
            output.write_json(tool[part])
