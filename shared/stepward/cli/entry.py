"""Start the installed `stepward` command; a missing extra is reported in one line."""

from __future__ import annotations

import sys
from typing import Final

import stepward
from stepward.cli.exit_codes import USAGE

_EXTRAS: Final = {"typer": "cli", "click": "cli", "rich": "cli", "yaml": "cli"}
"""The modules that come with an extra; what else is missing is a fault that somebody should see whole."""


def main() -> None:
    """Run the `stepward` command; `--version` works without any extra.

    Raises:
        SystemExit: Always, with the command's exit code.
    """
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"stepward {stepward.__version__}\n")
        sys.exit()
    try:
        from stepward.cli.main import main as run  # noqa: PLC0415  needs what may not be installed
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(str(error.name).partition(".")[0])
        if extra is None:
            raise
        sys.stderr.write(f"stepward needs the module {error.name}: pip install 'stepward[{extra}]'\n")
        sys.exit(USAGE)
    run()
