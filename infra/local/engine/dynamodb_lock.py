"""moto's DynamoDB is not atomic under threads: conditions are checked and written in two steps without a lock.

Where: `DynamoHandler.call_action` in moto/dynamodb/responses.py. Six clients counted to 899 with 900 ADDs, and an
optimistic condition was won twice. One lock around every action makes each of them atomic; the same place is where
calls can be counted, with the items as they were before and after.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from moto.dynamodb.responses import DynamoHandler

ORIGINAL = DynamoHandler.call_action

Answer = tuple[int, dict[str, str], Any]
"""Status, headers, body."""

Action = Callable[[Any], Answer]
Observer = Callable[[Any, Action], Answer]

_lock = threading.RLock()
_observers: list[Observer] = []


def install() -> None:
    """Run every action under the lock."""
    DynamoHandler.call_action = _call_action


def observe(observer: Observer | None) -> None:
    """Let an observer stand around every action from now on; None ends it."""
    _observers[:] = [] if observer is None else [observer]


def held() -> AbstractContextManager[Any]:
    """Keep every action out meanwhile, for who reads what must not change."""
    return _lock


def _call_action(handler: Any) -> Answer:
    with _lock:
        answer: Answer = _observers[0](handler, ORIGINAL) if _observers else ORIGINAL(handler)
        return answer
