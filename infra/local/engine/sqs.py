"""Patches of SQS: receives without races, and the redrive of dead letters."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable

from moto.core.responses import ActionResult
from moto.sqs import models
from moto.sqs.exceptions import SQSException
from moto.sqs.models import Message, Queue, SQSBackend
from moto.sqs.responses import SQSResponse

ORIGINAL_QUEUE_RECEIVES = SQSBackend.receive_message
ORIGINAL_ADD = Queue.add_message
ORIGINAL_DELETE = SQSBackend.delete_message
ORIGINAL_VISIBILITY = SQSBackend.change_message_visibility
DEDUPLICATION_S = 300.0
_LOOK_AGAIN_S = 1.0
Listener = Callable[[str], None]
"""Takes the ARN of a queue in which a message may have become receivable."""

_lock = threading.RLock()
_listeners: list[Listener] = []
_clocks: list[Callable[[], float]] = []


def bind(listener: Listener | None, now_s: Callable[[], float] | None = None) -> None:
    """Notify a listener of later changes, and take the time from a clock; None undoes both."""
    _listeners[:] = [] if listener is None else [listener]
    _clocks[:] = [] if now_s is None else [now_s]


def install_queue_receives() -> None:
    """Change a queue under a lock, by the laptop's clock, and notify the poller.

    moto's queues hand a message to two receivers at once, push into functions from SendMessage, and know one clock.

    Where: `SQSBackend.receive_message` and `Queue.add_message` in moto/sqs/models.py work without a lock, and a receiver
    that waits does not see a message whose delay or visibility timeout ends. A FIFO queue forgets an id with its message.
    Here a lock makes each step atomic, the time can be the laptop's, the poller is notified of changes, and groups with few
    messages in flight go first (fair queues).
    """
    models.unix_time = _now_s
    models.unix_time_millis = lambda: _now_s() * 1000.0
    Queue.add_message = _add
    SQSBackend.receive_message = _receive
    SQSBackend.delete_message = _delete
    SQSBackend.change_message_visibility = _change_visibility


def receive_now(backend: SQSBackend, name: str, count: int, visibility_timeout_s: int) -> list[Message]:
    """Receive the messages that are there now, with all attributes."""
    with _lock:
        queue = backend.get_queue(name)
        if not queue.fifo_queue:
            _put_quiet_groups_first(queue)
        found: list[Message] = ORIGINAL_QUEUE_RECEIVES(backend, name, count, 0, visibility_timeout_s, ["All"])
        return found


def next_change_ms(queue: Queue) -> float | None:
    """Return the time in ms at which the next message becomes receivable, or None."""
    with _lock:
        now_ms = _now_s() * 1000
        moments = [max(message.visible_at, message.delayed_until) for message in queue._messages]  # noqa: SLF001
    return min((moment for moment in moments if moment >= now_ms), default=None)


def _now_s() -> float:
    return _clocks[0]() if _clocks else time.time()


def _add(queue: Queue, message: Message) -> None:
    with _lock:
        if not _is_known(queue, message):
            ORIGINAL_ADD(queue, message)
    _tell(queue)


def _is_known(queue: Queue, message: Message) -> bool:
    """Return whether a FIFO queue had this id in the last five minutes; remember it if not.

    An id outlives the deletion of its message.
    """
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


def _delete(backend: SQSBackend, queue_name: str, receipt_handle: str) -> None:
    with _lock:
        ORIGINAL_DELETE(backend, queue_name, receipt_handle)
    _tell(backend.get_queue(queue_name))


def _change_visibility(
    backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
) -> None:
    with _lock:
        ORIGINAL_VISIBILITY(backend, queue_name, receipt_handle, visibility_timeout)
    _tell(backend.get_queue(queue_name))


def _receive(
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    """Poll the queue until there is a message or the wait is over.

    It looks again when a message arrives, and every second for those that become visible by time.
    """
    end_s = time.monotonic() + wait_seconds_timeout
    while True:
        with _lock:
            found: list[Message] = ORIGINAL_QUEUE_RECEIVES(
                backend, queue_name, count, 0, visibility_timeout, message_attribute_names
            )
        left_s = end_s - time.monotonic()
        if found or left_s <= 0:
            return found
        backend.get_queue(queue_name).wait_for_messages(min(_LOOK_AGAIN_S, left_s))


def _put_quiet_groups_first(queue: Queue) -> None:
    under_way = Counter(message.group_id for message in queue.pending_messages if message.group_id)
    if under_way:
        queue._messages.sort(key=lambda message: under_way[message.group_id])  # noqa: SLF001


def _tell(queue: Queue) -> None:
    for listener in _listeners:
        listener(queue.queue_arn)


ORIGINAL_QUEUE_REDRIVES = getattr(SQSResponse, "start_message_move_task", None)


class NoSources(SQSException):  # type: ignore[misc]
    """No queue sends its dead letters to this one, so they cannot be moved back."""

    def __init__(self) -> None:
        """Use AWS's code and message."""
        super().__init__(
            "InvalidParameterValueException", "Source queue must be configured as a Dead Letter Queue."
        )


def install_queue_redrives() -> None:
    """Add StartMessageMoveTask.

    moto cannot move dead letters back: it has no StartMessageMoveTask.

    Where: `SQSResponse` in moto/sqs/responses.py. A message that is moved back is a new message, as on AWS: its receive count
    begins again. The move is done when the call returns.
    """
    SQSResponse.start_message_move_task = _start


def _start(response: SQSResponse) -> ActionResult:
    backend = response.sqs_backend
    dead_letters = backend.get_queue(response._get_param("SourceArn").rsplit(":", 1)[-1])  # noqa: SLF001
    destination = response._get_param("DestinationArn")  # noqa: SLF001
    sources = [queue for queue in backend.queues.values() if queue.dead_letter_queue is dead_letters]
    if not sources:
        raise NoSources
    name = destination.rsplit(":", 1)[-1] if destination else sources[0].name
    for message in list(dead_letters.messages):
        _move(backend, dead_letters, name, message)
    return ActionResult({"TaskHandle": f"{uuid.uuid4()}-{time.time():.0f}"})


def _move(backend: SQSBackend, dead_letters: Queue, name: str, message: Message) -> None:
    backend.send_message(
        name,
        message.body,
        message_attributes=message.message_attributes,
        deduplication_id=f"{message.deduplication_id}-{uuid.uuid4()}" if message.deduplication_id else None,
        group_id=message.group_id,
        system_attributes=message.system_attributes,
    )
    dead_letters._messages.remove(message)  # noqa: SLF001
