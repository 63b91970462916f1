"""Runs an operator's command against the laptop that runs here, and never against another stage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from stepward.cli.checkout import Laptop, find_checkout, find_laptop, venv_python
from stepward.cli.exit_codes import SetupError


def laptop_here(elsewhere: str) -> Laptop:
    """Find the laptop that is meant: never another stage, whatever the environment names.

    Args:
        elsewhere: What whoever operates a stage on AWS does instead.

    Raises:
        SetupError: None runs here, or the environment names another one.
    """
    laptop, url = find_laptop(), os.environ.get("STEPWARD_URL")
    if laptop is None or not laptop.alive:
        raise SetupError("No laptop runs here.", f"Start one with `stepward up`. {elsewhere}")
    if url and url.rstrip("/") != laptop.url.rstrip("/"):
        raise SetupError(f"STEPWARD_URL names {url}, which is not the laptop that runs here.", elsewhere)
    if not (laptop.endpoint and laptop.identity_table):
        raise SetupError("The laptop that runs here is an older one.", "Start `stepward up` again.")
    return laptop


def operate(
    laptop: Laptop, command: str, words: Sequence[str], variables: Mapping[str, str], *, as_json: bool
) -> int:
    """Run `python -m stepward.runtime.<command>` with the laptop's AWS in its environment.

    Returns:
        Its exit code; what it says goes where this process's words go, and what is typed goes to it.
    """
    checkout = find_checkout()
    python = (venv_python(checkout) if checkout else None) or sys.executable
    aws = {
        "AWS_ENDPOINT_URL": laptop.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "laptop",
        "AWS_SECRET_ACCESS_KEY": "laptop",
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.startswith("STEPWARD_")
    }
    paths = {"PYTHONPATH": str(checkout / "shared")} if checkout else {}
    line = [str(python), "-m", f"stepward.runtime.{command}", *words, *(["--json"] if as_json else [])]
    return subprocess.run(line, env=kept | paths | aws | dict(variables), check=False).returncode  # noqa: S603  our own interpreter and module
