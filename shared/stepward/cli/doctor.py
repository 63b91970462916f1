"""`stepward doctor`: finds what is wrong with this machine or a stage, before a person has to guess."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from stepward.cli import screen
from stepward.cli.checks import Check, all_checks
from stepward.cli.connection import JsonOption, KeyOption, UrlOption
from stepward.cli.exit_codes import EPILOG, FAILED

HELP = """Check this machine and the stage that commands would talk to; each bad line says what to do.

Looks at Python, the checkout and its .venv, the Lambda runtime, the laptop and its port, then at the API: is it
reachable, ready, and does it know the key. Exits 1 if a check fails; a warning stops some commands only.

Examples:

  stepward doctor

  stepward doctor --url https://api.example.com --key sw_… --json
"""
STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Check this machine and the stage."""
    found: list[Check] = []
    for check in all_checks(url, key):
        found.append(check)
        if not as_json:
            screen.write_lines(lines_of(check))
    good = all(check.status != "fail" for check in found)
    if as_json:
        screen.write_json({"ok": good, "checks": [asdict(check) for check in found]})
    if not good:
        raise typer.Exit(FAILED)


def lines_of(check: Check) -> list[Text]:
    """Write one check, and under it the fix when there is something to do."""
    head = Text(f"{check.status:<5}", style=STYLES[check.status])
    line = screen.joined(head, f"{check.name:<18}", screen.plain(check.detail))
    return [line, Text(f"{'':<23}→ {screen.plain(check.fix)}", style="dim")] if check.fix else [line]


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("doctor", help=HELP, epilog=EPILOG)(doctor)
