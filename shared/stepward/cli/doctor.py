"""Implement `stepward doctor`: check this machine and the stage."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import typer
from rich.text import Text

from stepward.cli import connection, output
from stepward.cli.checkout import Laptop, find_checkout, find_laptop, venv_python
from stepward.cli.commands_for_routes import in_commands
from stepward.cli.connection import JsonOption, KeyOption, Target, UrlOption, find_target
from stepward.cli.exit_codes import EPILOG, FAILED, SetupError
from stepward.sdk import Stepward, StepwardError

Status = Literal["ok", "warn", "fail"]
LAPTOP_PORT = 8400
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """The result of one check; `warn` affects some commands only."""

    name: str
    status: Status
    detail: str
    fix: str = ""


def all_checks(url: str | None, key: str | None) -> Iterator[Check]:
    """Check everything, each part after those that it needs."""
    yield python_version(sys.version_info[:3])
    checkout = find_checkout()
    yield from machine_checks(checkout)
    laptop, broken = _laptop()
    yield broken or laptop_state(laptop)
    if laptop is None:
        yield port_free()
    if broken is None or (url and key):
        yield from stage_checks(url, key)


def python_version(version: tuple[int, ...]) -> Check:
    """Check that the interpreter is new enough for Stepward's own code."""
    shown = ".".join(str(part) for part in version)
    if version[:2] >= OLDEST_PYTHON:
        return Check("python", "ok", shown)
    return Check(
        "python", "fail", f"{shown} is older than 3.11", "Install Python 3.11 or newer, then `make setup`."
    )


def machine_checks(checkout: Path | None) -> Iterator[Check]:
    """Check what `up`, `demo` and `bench` need; without a checkout only those are missing."""
    if checkout is None:
        yield Check(
            "checkout", "warn", "none around this folder", "`up`, `demo`, `bench` need one: change into it."
        )
        return
    yield Check("checkout", "ok", str(checkout))
    python = venv_python(checkout)
    if python is None:
        yield Check("venv", "fail", f"{checkout / '.venv'} is missing", "Run `make setup`.")
        return
    yield Check("venv", "ok", str(python))
    yield lambda_runtime(python, sys.platform)


def lambda_runtime(python: Path, platform: str) -> Check:
    """Check that AWS's runtime client is installed.

    On Linux the laptop runs handlers under it; elsewhere Stepward has a client of its own.
    """
    if not platform.startswith("linux"):
        return Check("lambda runtime", "ok", f"{platform}: Stepward's own client of the Runtime API is used")
    question = [str(python), "-c", "import awslambdaric"]
    asked = subprocess.run(question, capture_output=True, check=False, timeout=60)  # noqa: S603  our own words
    if asked.returncode == 0:
        return Check("lambda runtime", "ok", f"{platform}, awslambdaric")
    return Check("lambda runtime", "fail", "awslambdaric cannot be imported in .venv", "Run `make setup`.")


def laptop_state(laptop: Laptop | None) -> Check:
    """Check that the laptop runs.

    One that was killed leaves its file behind, and every command then asks a dead port.
    """
    if laptop is None:
        return Check(
            "laptop", "warn", "not running", "Start it with `stepward up` (not needed for a stage on AWS)."
        )
    if laptop.alive:
        return Check(
            "laptop", "ok", f"running at {laptop.url}" + (f", pid {laptop.pid}" if laptop.pid else "")
        )
    file = laptop.root / ".stepward" / "laptop.json"
    return Check("laptop", "fail", f"process {laptop.pid} is gone", f"Delete {file}, then `stepward up`.")


def port_free(port: int = LAPTOP_PORT) -> Check:
    """Check that the port of `stepward up` is free, before a deployment finds it taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            fix = f"Stop what uses it (`lsof -i :{port}` names it), or see `stepward up -- --help` for another port."
            return Check(f"port {port}", "warn", f"taken: {error.strerror}", fix)
    return Check(f"port {port}", "ok", "free")


def stage_checks(url: str | None, key: str | None) -> Iterator[Check]:
    """Check that the stage can be reached, is ready, and knows the key."""
    target = find_target(url, key)
    if target is None:
        yield Check(
            "api",
            "warn",
            "no stage is known here",
            "Start `stepward up`, or set STEPWARD_URL and STEPWARD_API_KEY.",
        )
        return
    try:
        with connection.open_client(target) as stepward:
            yield from _api_checks(stepward, target)
    except StepwardError as error:
        yield _failed("api", error)


def _api_checks(stepward: Stepward, target: Target) -> Iterator[Check]:
    reached = stepward.health()
    place = urlsplit(target.url).netloc
    yield Check(
        "api", "ok", f"{place}: stage {reached.get('stage', '?')}, version {reached.get('version', '?')}"
    )
    yield from _ready_checks(stepward)
    yield _key_check(stepward, target)


def _ready_checks(stepward: Stepward) -> Iterator[Check]:
    try:
        checks = stepward.ready()["checks"]
    except StepwardError as error:
        yield _failed("ready", error)
        return
    for name, said in checks.items():
        good = said == "ok"
        fix = "" if good else "Look into `stepward logs health`, or into the stage's CloudWatch logs."
        yield Check(f"ready: {name}", "ok" if good else "fail", said, fix)


def _key_check(stepward: Stepward, target: Target) -> Check:
    if not target.api_key:
        return Check("key", "fail", "none given for this URL", "Give --key, or set STEPWARD_API_KEY.")
    try:
        stepward.agents(limit=1)
    except StepwardError as error:
        return _failed("key", error)
    return Check("key", "ok", f"works ({target.api_key[:6]}…)")


def _laptop() -> tuple[Laptop | None, Check | None]:
    try:
        return find_laptop(), None
    except SetupError as error:
        return None, _failed("laptop", error)


def _failed(name: str, error: StepwardError) -> Check:
    return Check(name, "fail", f"{error.code}: {error.detail}", in_commands(error.fix or ""))


HELP = """Check this machine and the stage; each failed check prints its fix.

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
            output.write_lines(lines_of(check))
    good = all(check.status != "fail" for check in found)
    if as_json:
        output.write_json({"ok": good, "checks": [asdict(check) for check in found]})
    if not good:
        raise typer.Exit(FAILED)


def lines_of(check: Check) -> list[Text]:
    """Format one check, with its fix below if there is something to do."""
    head = Text(f"{check.status:<5}", style=STYLES[check.status])
    line = output.joined(head, f"{check.name:<18}", output.plain(check.detail))
    return [line, Text(f"{'':<23}→ {output.plain(check.fix)}", style="dim")] if check.fix else [line]


def attach(app: typer.Typer) -> None:
    """Put the command on the app."""
    app.command("doctor", help=HELP, epilog=EPILOG)(doctor)
