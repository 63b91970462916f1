"""Find the checkout of Stepward, its Python and a running laptop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stepward.cli.exit_codes import SetupError

LAPTOP_FILE = Path(".stepward") / "laptop.json"
STATE_DIR_VARIABLE = "STEPWARD_STATE_DIR"
"""Where a laptop keeps its file if it was started with --state-dir."""


@dataclass(frozen=True)
class Laptop:
    """The file that `stepward up` writes about itself; `root` is the folder of `.stepward`."""

    root: Path
    url: str
    api_key: str
    pid: int
    log_dir: Path
    tenant: str = ""
    endpoint: str = ""
    """Where its AWS is: for the operator's commands only."""
    identity_table: str = ""
    registry_table: str = ""

    @property
    def alive(self) -> bool:
        """Return True if the process that wrote the file still runs.

        A killed one leaves its file behind.
        """
        if self.pid <= 0:
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def folders_upwards(start: Path | None = None) -> list[Path]:
    """List the current folder and those above it, nearest first."""
    here = (start or Path.cwd()).resolve()
    return [here, *here.parents]


def find_checkout() -> Path | None:
    """Find the checkout around the current folder.

    Another project's cdk.json is not enough: `infra/local` must be there too.
    """
    return next(
        (d for d in folders_upwards() if (d / "cdk.json").is_file() and (d / "infra" / "local").is_dir()),
        None,
    )


def need_checkout(for_what: str) -> Path:
    """Return the checkout, or raise an error that says how to get one."""
    if found := find_checkout():
        return found
    raise SetupError(
        f"{for_what} needs a checkout of Stepward: no folder from here upwards has cdk.json and infra/local.",
        "Change into the folder that you cloned Stepward to, then run it again.",
    )


def venv_python(checkout: Path) -> Path | None:
    """Find the interpreter that `make setup` made."""
    found = checkout / ".venv" / "bin" / "python"
    return found if found.exists() else None


def find_laptop() -> Laptop | None:
    """Find the laptop that STEPWARD_STATE_DIR names, or that runs for this folder."""
    if (named := _named_state_dir()) is not None:
        return read_laptop(named / "laptop.json")
    path = next((d / LAPTOP_FILE for d in folders_upwards() if (d / LAPTOP_FILE).is_file()), None)
    return read_laptop(path) if path else None


def _named_state_dir() -> Path | None:
    named = os.environ.get(STATE_DIR_VARIABLE)
    return Path(named).resolve() if named else None


def read_laptop(path: Path) -> Laptop:
    """Read the laptop's file; one that cannot be read raises an error that names it."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        url, key = str(body["url"]), str(body["api_key"])
        pid, log_dir = int(body.get("pid", 0)), str(body.get("log_dir", ".stepward/logs"))
        more = {
            name: str(body.get(name, ""))
            for name in ("tenant", "endpoint", "identity_table", "registry_table")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = (
            "Start it with that --state-dir, or unset STEPWARD_STATE_DIR."
            if isinstance(error, FileNotFoundError)
            else "Delete it and start `stepward up` again."
        )
        raise SetupError(f"{path} cannot be read ({error}).", fix) from error
    root = path.parent.parent
    return Laptop(root=root, url=url, api_key=key, pid=pid, log_dir=root / log_dir, **more)


def log_folder() -> Path | None:
    """Find the laptop's logs, also after it has stopped."""
    if (named := _named_state_dir()) is not None:
        return named / "logs"
    if (laptop := find_laptop()) is not None:
        return laptop.log_dir
    return next(
        (d / ".stepward" / "logs" for d in folders_upwards() if (d / ".stepward" / "logs").is_dir()), None
    )


def laptop_here(elsewhere: str) -> Laptop:
    """Return the laptop that runs here, and never another stage.

    Args:
        elsewhere: What the operator of a stage on AWS does instead.

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


def run_operator_command(
    laptop: Laptop, command: str, words: Sequence[str], variables: Mapping[str, str], *, as_json: bool
) -> int:
    """Run `python -m stepward.runtime.<command>` with the laptop's AWS in its environment.

    It has this process's standard input and output.

    Returns:
        Its exit code.
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
