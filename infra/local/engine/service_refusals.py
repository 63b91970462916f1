"""moto's EventBridge, SQS and Secrets Manager take what AWS refuses, so that a task succeeds that would fail.

Where: `EventsBackend.put_events` in moto/events/models.py takes any JSON as `Detail`, AWS objects only; `SQSBackend.send_message` in
moto/sqs/models.py takes an empty body; `SecretsManagerBackend.create_secret` in moto/secretsmanager/models.py takes any
name. The cause that tasks tell of EventBridge lacks the details that AWS gives (…/service/state_task_service_events.py:41).
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.events.models import EventsBackend
from moto.secretsmanager.exceptions import ValidationException
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sqs.exceptions import MissingParameter
from moto.sqs.models import SQSBackend
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_events import (
    SfnFailedEntryCountException,
)

ORIGINAL = EventsBackend.put_events
ORIGINAL_SEND = SQSBackend.send_message
ORIGINAL_CREATE = SecretsManagerBackend.create_secret
ORIGINAL_FAILED = SfnFailedEntryCountException.__init__
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_MALFORMED = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}


def install() -> None:
    """Check first."""
    EventsBackend.put_events = _put_events
    SQSBackend.send_message = _send_message
    SecretsManagerBackend.create_secret = _create_secret
    SfnFailedEntryCountException.__init__ = _failed_entries


def _put_events(backend: Any, events: list[dict[str, Any]], *args: Any, **named: Any) -> Any:
    good = [event for event in events if not _is_malformed(event)]
    answers = iter(ORIGINAL(backend, good, *args, **named) if good else [])
    return [dict(_MALFORMED) if _is_malformed(event) else next(answers) for event in events]


def _is_malformed(event: dict[str, Any]) -> bool:
    if "Detail" not in event:
        return False
    try:
        return not isinstance(json.loads(event["Detail"]), dict)
    except (TypeError, ValueError):
        return True


def _send_message(backend: Any, queue_name: str, message_body: str, *args: Any, **named: Any) -> Any:
    if not message_body:
        raise MissingParameter("MessageBody")
    return ORIGINAL_SEND(backend, queue_name, message_body, *args, **named)


def _failed_entries(error: Any, cause: Any) -> None:
    ORIGINAL_FAILED(error, json.dumps(cause, separators=(",", ":")))


def _create_secret(backend: Any, name: str, *args: Any, **named: Any) -> Any:
    if not _SECRET_NAME.fullmatch(name):
        raise ValidationException(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
    return ORIGINAL_CREATE(backend, name, *args, **named)
