"""moto's queues hand a message to two receivers at once, push into functions from SendMessage, and know one clock.

Where: `SQSBackend.receive_message` and `Queue.add_message` in moto/sqs/models.py work without a lock, and a receiver
that waits does not see a message whose delay or visibility timeout ends. A FIFO queue forgets an id with its message.
Here a lock makes each step whole, the time can be the laptop's, whoever polls is told what has changed, and groups with
little under way go first (fair queues).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from moto.sqs import models
from moto.sqs.models import Queue, SQSBackend

ORIGINAL = SQSBackend.receive_message
ORIGINAL_ADD = Queue.add_message
ORIGINAL_DELETE = SQSBackend.delete_message
ORIGINAL_VISIBILITY = SQSBackend.change_message_visibility
DEDUPLICATION_S = 300.0
_LOOK_AGAIN_S = 1.0

Listener = Callable[[str], None]
"""Is told the ARN of a queue in which something may have become receivable."""

_lock = threading.RLock()
_listeners: list[Listener] = []
_clocks: list[Callable[[], float]] = []


def bind(listener: Listener | None, now_s: Callable[[], float] | None = None) -> None:
    """Tell this listener of changes, and take the time from this clock, from now on."""
    _listeners[:] = [] if listener is None else [listener]
    _clocks[:] = [] if now_s is None else [now_s]


def install() -> None:
    """Put a lock around what changes a queue."""
    models.unix_time = _now_s
    models.unix_time_millis = lambda: _now_s() * 1000.0
    Queue.add_message = _add
    SQSBackend.receive_message = _receive
    SQSBackend.delete_message = _delete
    SQSBackend.change_message_visibility = _change_visibility


def receive_now(backend: Any, name: str, count: int, visibility_timeout_s: int) -> list[Any]:
    """Receive what there is, with all attributes."""
    with _lock:
        queue = backend.get_queue(name)
        if not queue.fifo_queue:
            _put_quiet_groups_first(queue)
        found: list[Any] = ORIGINAL(backend, name, count, 0, visibility_timeout_s, ["All"])
        return found


def next_change_s(queue: Any) -> float | None:
    """Say when the next message becomes receivable by time alone."""
    with _lock:
        now_ms = _now_s() * 1000
        moments = [max(message.visible_at, message.delayed_until) for message in queue._messages]  # noqa: SLF001
    return min((moment for moment in moments if moment >= now_ms), default=None)


def _now_s() -> float:
    return _clocks[0]() if _clocks else time.time()


def _add(queue: Any, message: Any) -> None:
    with _lock:
        if not _is_known(queue, message):
            ORIGINAL_ADD(queue, message)
    _tell(queue)


def _is_known(queue: Any, message: Any) -> bool:
    """Remember a FIFO queue's ids for five minutes, also of messages that have been deleted since."""
    if not queue.fifo_queue or not message.deduplication_id:
        return False
    known: dict[str, float] = vars(queue).setdefault("known_deduplication_ids", {})
    now_s, until_s = _now_s(), known.get(message.deduplication_id, 0.0)
    if now_s < until_s:
        return True
    for old in [each for each, end_s in known.items() if end_s <= now_s]:
        del known[old]
    known[message.deduplication_id] = now_s + DEDUPLICATION_S
    return False


def _delete(backend: Any, queue_name: str, receipt_handle: str) -> None:
    with _lock:
        ORIGINAL_DELETE(backend, queue_name, receipt_handle)
    _tell(backend.get_queue(queue_name))


def _change_visibility(backend: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    with _lock:
        ORIGINAL_VISIBILITY(backend, queue_name, receipt_handle, visibility_timeout)
    _tell(backend.get_queue(queue_name))


def _receive(
    backend: Any,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Any]:
    """Look, and look again when a message comes or a second has passed, until there is one or the wait is over."""
    end_s = time.monotonic() + wait_seconds_timeout
    while True:
        with _lock:
            found: list[Any] = ORIGINAL(
                backend, queue_name, count, 0, visibility_timeout, message_attribute_names
            )
        left_s = end_s - time.monotonic()
        if found or left_s <= 0:
            return found
        backend.get_queue(queue_name).wait_for_messages(min(_LOOK_AGAIN_S, left_s))


def _put_quiet_groups_first(queue: Any) -> None:
    under_way = Counter(message.group_id for message in queue.pending_messages if message.group_id)
    if under_way:
        queue._messages.sort(key=lambda message: under_way[message.group_id])  # noqa: SLF001


def _tell(queue: Any) -> None:
    for listener in _listeners:
        listener(queue.queue_arn)
