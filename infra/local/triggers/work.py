"""Threads for what happens later: deliveries, retries and polls, none of which may hold up the one who caused them."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_THREADS = 24


class Work:
    """Run pieces of work beside each other; a piece that breaks is shown, and the others go on."""

    def __init__(self, threads: int = _THREADS) -> None:
        """Start no thread before there is work."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="trigger")
        self.is_closed = False

    def submit(self, piece: Callable[..., object], *arguments: Any) -> None:
        """Do a piece soon."""
        if not self.is_closed:
            self._pool.submit(self._run, piece, *arguments)

    def close(self) -> None:
        """Begin nothing more; what is under way ends by itself, since the functions' processes are ended next."""
        self.is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, piece: Callable[..., object], *arguments: Any) -> None:
        try:
            piece(*arguments)
        except Exception:  # noqa: BLE001 - the border of a thread: an error here would otherwise vanish
            if not self.is_closed:
                traceback.print_exc(file=sys.stderr)
