"""moto cannot move dead letters back: StartMessageMoveTask is unknown to it.

Where: `SQSResponse` in moto/sqs/responses.py. A message that comes back is a new message, as on AWS: its receive count
begins again. The move is done when the call returns.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse

ORIGINAL = getattr(SQSResponse, "start_message_move_task", None)


class NoSources(SQSException):  # type: ignore[misc]
    """Nothing sends its dead letters to this queue, so there is no way back."""

    def __init__(self) -> None:
        """Use AWS's name and words."""
        super().__init__(
            "InvalidParameterValueException", "Source queue must be configured as a Dead Letter Queue."
        )


def install() -> None:
    """Add the action."""
    SQSResponse.start_message_move_task = _start


def _start(response: Any) -> Any:
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


def _move(backend: Any, dead_letters: Any, name: str, message: Any) -> None:
    backend.send_message(
        name,
        message.body,
        message_attributes=message.message_attributes,
        deduplication_id=f"{message.deduplication_id}-{uuid.uuid4()}" if message.deduplication_id else None,
        group_id=message.group_id,
        system_attributes=message.system_attributes,
    )
    dead_letters._messages.remove(message)  # noqa: SLF001
