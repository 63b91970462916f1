"""Messages of queues, with how often they were received, so that a poisonous one still ends where it belongs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from moto.sqs.models import Message, sqs_backends

from infra.local import account
from infra.local.state.folder import Unit
from infra.local.state.scans import Seen, dump

_KEPT = (
    "message_attributes",
    "system_attributes",
    "sender_id",
    "sent_timestamp",
    "approximate_first_receive_timestamp",
    "approximate_receive_count",
    "deduplication_id",
    "group_id",
    "sequence_number",
    "delayed_until",
)
"""Whoever held a message has gone with the process, so it is visible again: how long it was hidden is not kept."""


class Messages:
    """The source of everything in SQS."""

    kind = "message"

    def scan(self) -> Iterator[Seen]:
        """Look at every message, in the order of its queue."""
        for queue in list(_backend().queues.values()):
            for place_in_queue, message in enumerate(list(queue._messages)):  # noqa: SLF001 - no other door
                mark = message.approximate_receive_count, message.delayed_until
                yield Seen(Unit(self.kind, queue.name, message.id), mark, _Writer(message, place_in_queue))

    def restore(self, unit: Unit, content: Any) -> Hashable | None:
        """Put a message into its queue as if it had been there all the time."""
        queue = _backend().queues.get(unit.home)
        if queue is None:
            return None
        message = Message(unit.key, content["body"])
        for name in _KEPT:
            setattr(message, name, content[name])
        queue.add_message(message)
        return message.approximate_receive_count, message.delayed_until


class _Writer:
    """Write a message down when it is asked for: most are only compared."""

    def __init__(self, message: Any, place_in_queue: int) -> None:
        self._message = message
        self._place = place_in_queue

    def __call__(self) -> bytes:
        kept = {name: getattr(self._message, name) for name in _KEPT}
        return dump({"v": 1, "place": self._place, "body": self._message.body, **kept})


def _backend() -> Any:
    return sqs_backends[account.ACCOUNT_ID][account.REGION]
