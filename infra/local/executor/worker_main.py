"""The entry point of a worker process, which runs Lambda's runtime client.

It runs as a script under `-P`, so this folder is never on the handler's import path, and imports nothing of the package. The
process ends with its parent, so that even a SIGKILL of the laptop leaves no worker behind; a debugger's port is opened in the
worker itself, so that it does not outlive the worker either.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType

_PR_SET_PDEATHSIG = 1
_DEBUGGER_LIMIT_S = 10.0


def die_with(parent_pid: int) -> None:
    """Ask Linux for a SIGKILL when the parent ends; exit if it has already ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def run_handler(handler: str) -> None:
    """Serve invocations for ever, by AWS's client where there is one, else by the small one."""
    if "STEPWARD_DEBUG_PORT" in os.environ:
        _listen_for_debugger(int(os.environ["STEPWARD_DEBUG_PORT"]))
    if (
        importlib.util.find_spec("awslambdaric") is None
        or os.environ.get("STEPWARD_RUNTIME_CLIENT") == "small"
    ):
        _load_sibling("runtime_client").serve(handler)
        return
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415 - it reads the environment when imported

    serve(["bootstrap", handler])


def _listen_for_debugger(port: int) -> None:
    """Listen on a loopback port, once the worker before this one has released it."""
    debugpy = importlib.import_module("debugpy")
    end_s = time.monotonic() + _DEBUGGER_LIMIT_S
    while True:
        try:
            debugpy.listen(("127.0.0.1", port), in_process_debug_adapter=True)
        except (OSError, RuntimeError) as error:
            if time.monotonic() > end_s:
                sys.stderr.write(f"no debugger can attach on port {port}: {error}\n")
                return
            time.sleep(0.1)
        else:
            return


def _load_sibling(name: str) -> ModuleType:
    """Load a file of this script's folder without making the folder importable."""
    spec = importlib.util.spec_from_file_location(f"_laptop_{name}", Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    run_handler(sys.argv[2])
