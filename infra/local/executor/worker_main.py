"""The entry point of a worker process, which runs Lambda's runtime client.

It runs as a script under `-P`, so this folder is never on the handler's import path.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType


def load_sibling(name: str) -> ModuleType:
    """Load a file of this script's folder without making the folder importable."""
    spec = importlib.util.spec_from_file_location(f"_laptop_{name}", Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_handler(handler: str) -> None:
    """Serve invocations for ever, by AWS's client where there is one, else by the small one."""
    if "STEPWARD_DEBUG_PORT" in os.environ:
        load_sibling("debugger").listen(int(os.environ["STEPWARD_DEBUG_PORT"]))
    if (
        importlib.util.find_spec("awslambdaric") is None
        or os.environ.get("STEPWARD_RUNTIME_CLIENT") == "small"
    ):
        load_sibling("runtime_client").serve(handler)
        return
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415 - it reads the environment when imported

    serve(["bootstrap", handler])


if __name__ == "__main__":
    load_sibling("die_with_parent").die_with(int(sys.argv[1]))
    run_handler(sys.argv[2])
