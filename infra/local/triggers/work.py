"""Threads for deliveries, retries and polls, so that their callers need not wait."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_THREADS = 24


class Work:
    """Runs calls in threads; the error of one is printed, and the others go on."""

    def __init__(self, threads: int = _THREADS) -> None:
        """Start without threads."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="trigger")
        self.is_closed = False

    def submit(self, call: Callable[..., object], *arguments: Any) -> None:
        """Run a call in a thread soon, unless this is closed."""
        if not self.is_closed:
            self._pool.submit(self._run, call, *arguments)

    def close(self) -> None:
        """Begin nothing more; calls in progress end with the processes of their functions."""
        self.is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, call: Callable[..., object], *arguments: Any) -> None:
        try:
            call(*arguments)
        except Exception:  # noqa: BLE001 - the border of a thread: an error here would otherwise vanish
            if not self.is_closed:
                traceback.print_exc(file=sys.stderr)
