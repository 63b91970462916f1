"""A debugger's port in a worker's own process, so that nothing outlives the worker.

The worker loads this file by its path, so it imports nothing of the package.
"""

from __future__ import annotations

import importlib
import sys
import time

_LIMIT_S = 10.0


def listen(port: int) -> None:
    """Listen on a loopback port, once the worker before this one has released it."""
    debugpy = importlib.import_module("debugpy")
    end_s = time.monotonic() + _LIMIT_S
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
