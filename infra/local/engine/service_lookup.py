"""moto lists its own folders on disk for every request, under one lock, to find the service that a host names.

Where: `DomainDispatcherApplication.get_backend_for_host` in moto/moto_server/werkzeug_app.py calls
`list_of_moto_modules` (moto/backends.py). With many clients all of them queue for that lock: it cost more than half of
the time of 30 runs at once. The answer for a host never changes, so it is kept.
"""

from __future__ import annotations

import functools
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

ORIGINAL = DomainDispatcherApplication.get_backend_for_host


def install() -> None:
    """Ask once a host."""
    DomainDispatcherApplication.get_backend_for_host = _remembered


@functools.lru_cache(maxsize=1024)
def _remembered(application: Any, host: str | None) -> Any:
    return ORIGINAL(application, host)
