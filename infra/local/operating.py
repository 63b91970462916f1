"""Runs the commands of who operates a stage, each in a process of its own with that stage's tables in its environment."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT

if TYPE_CHECKING:
    from infra.local.laptop import Laptop
    from infra.local.state import Keeper

STAGE: Final = "laptop"
_TABLES: Final = ("identity", "registry", "runtime")


def keep_webhook_key(laptop: Laptop, keeper: Keeper) -> None:
    """Restore the webhook key of a laptop that keeps its data.

    With another key its webhooks would have other secrets.
    """
    name = f"/stepward/{STAGE}/webhook-key"
    key = keeper.note(name) or secrets.token_hex(32)
    keeper.write_note(name, key)
    laptop.client("ssm").put_parameter(Name=name, Value=key, Type="SecureString", Overwrite=True)


def operate(laptop: Laptop, command: str, words: Sequence[str]) -> str:
    """Run `python -m stepward.runtime.<command>` against a laptop.

    Args:
        laptop: Whose tables the command reads and writes.
        command: `issue_key` or `account_limits`.
        words: Its arguments.

    Returns:
        What it printed.

    Raises:
        LaptopError: It failed; the message says why.

    """
    tables = {
        f"{name.upper()}_TABLE": laptop.physical_id("AWS::DynamoDB::Table", f"-{name}") for name in _TABLES
    }
    shared = {"PYTHONPATH": str(ROOT / "shared"), "PATH": os.environ.get("PATH", "")}
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", f"stepward.runtime.{command}", *words],
        env=laptop.environment() | tables | shared,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LaptopError(f"{command} failed:\n{done.stderr.strip()}")
    return done.stdout.strip()
