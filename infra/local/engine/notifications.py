"""Patches of what S3 and SNS publish, and of what other services refuse."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable
from typing import Any

from moto.events.models import EventsBackend
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response
from moto.secretsmanager.exceptions import ValidationException
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sns.exceptions import SNSInvalidParameter, SNSNotFoundError
from moto.sns.responses import SNSResponse
from moto.sqs.exceptions import MissingParameter
from moto.sqs.models import SQSBackend
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_events import (
    SfnFailedEntryCountException,
)

ORIGINAL_BUCKET_NOTIFICATIONS = notifications.send_event
ORIGINAL_MARKER = S3Backend._set_delete_marker  # noqa: SLF001
ORIGINAL_TAGGING = S3Response.put_object_tagging
TAGGED = "s3:ObjectTagging:Put"
MARKED = "s3:ObjectRemoved:DeleteMarkerCreated"
Receiver = Callable[[str, FakeBucket, FakeKey], None]
"""Takes the event's name, the bucket and the object."""

_receivers: list[Receiver] = []
_call = threading.local()


def bind(receiver: Receiver | None) -> None:
    """Pass later changes of objects to a receiver; None leaves them to moto."""
    _receivers[:] = [] if receiver is None else [receiver]


def install_bucket_notifications() -> None:
    """Pass changes of objects to the receiver instead of sending events.

    moto sends a bucket's events inside the call that caused them, swallows every error, and sends none for delete markers.

    Where: `send_event` in moto/s3/notifications.py and `S3Backend._set_delete_marker` in moto/s3/models.py. Its events lack
    version, sequencer and principal, and those for EventBridge have made-up fields. Every PutObject also sends a change of tags.
    """
    notifications.send_event = _send
    S3Backend._set_delete_marker = _mark  # noqa: SLF001
    S3Response.put_object_tagging = _tag


def _send(account_id: str, event_name: Any, bucket: FakeBucket, key: FakeKey) -> None:
    name = str(getattr(event_name, "value", event_name))
    if not _receivers:
        ORIGINAL_BUCKET_NOTIFICATIONS(account_id, event_name, bucket, key)
    elif bucket.notification_configuration is not None and (name != TAGGED or _is_tagging()):
        _receivers[0](name, bucket, key)


def _is_tagging() -> bool:
    return getattr(_call, "is_tagging", False)


def _tag(response: S3Response) -> Any:
    _call.is_tagging = True
    try:
        return ORIGINAL_TAGGING(response)
    finally:
        _call.is_tagging = False


def _mark(backend: S3Backend, bucket_name: str, key_name: str) -> FakeDeleteMarker:
    marker = ORIGINAL_MARKER(backend, bucket_name, key_name)
    _send(backend.account_id, MARKED, backend.get_bucket(bucket_name), marker)
    return marker


ORIGINAL_TOPIC_PUBLISHING = SNSResponse.publish
_numbers = itertools.count(10_000_000_000_000_000_000, 1_000)


def install_topic_publishing() -> None:
    """Validate what is published to a topic, and number messages of FIFO topics.

    moto's SNS takes messages for FIFO topics that AWS refuses, and gives those that it takes no sequence number.

    Where: `SNSResponse.publish` in moto/sns/responses.py; `SNSBackend.publish` in moto/sns/models.py looks for a group only where a
    queue is subscribed. Nor is an empty message refused, and it calls a topic that is not there an endpoint.
    """
    SNSResponse.publish = _publish


def _publish(response: SNSResponse) -> Any:
    given = {
        name: response._get_param(name)  # noqa: SLF001 - moto's own
        for name in ("Message", "MessageGroupId", "MessageDeduplicationId", "TargetArn", "TopicArn")
    }
    if not given["Message"]:
        raise SNSInvalidParameter("Invalid parameter: Empty message")
    topic = response.backend.topics.get(given["TargetArn"] or given["TopicArn"])
    if topic is None and given["TopicArn"]:
        raise SNSNotFoundError("Topic does not exist")
    if topic is None or not topic.fifo_topic:
        return ORIGINAL_TOPIC_PUBLISHING(response)
    if not given["MessageGroupId"]:
        raise SNSInvalidParameter(
            "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
        )
    if not given["MessageDeduplicationId"] and str(topic.content_based_deduplication).lower() != "true":
        raise SNSInvalidParameter(
            "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    answer = ORIGINAL_TOPIC_PUBLISHING(response)
    answer.result["SequenceNumber"] = str(next(_numbers))
    return answer


ORIGINAL_SERVICE_REFUSALS = EventsBackend.put_events
ORIGINAL_SEND = SQSBackend.send_message
ORIGINAL_CREATE = SecretsManagerBackend.create_secret
ORIGINAL_FAILED = SfnFailedEntryCountException.__init__
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_MALFORMED = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}


def install_service_refusals() -> None:
    """Refuse entries, messages and names of secrets that AWS refuses.

    moto's EventBridge, SQS and Secrets Manager take what AWS refuses, so that a task succeeds that would fail.

    Where: `EventsBackend.put_events` in moto/events/models.py takes any JSON as `Detail`, AWS objects only; `SQSBackend.send_message` in
    moto/sqs/models.py takes an empty body; `SecretsManagerBackend.create_secret` in moto/secretsmanager/models.py takes any
    name. The cause of a failed PutEvents task lacks the details that AWS gives (…/service/state_task_service_events.py:41).
    """
    EventsBackend.put_events = _put_events
    SQSBackend.send_message = _send_message
    SecretsManagerBackend.create_secret = _create_secret
    SfnFailedEntryCountException.__init__ = _failed_entries


def _put_events(backend: EventsBackend, events: list[dict[str, Any]], *args: Any, **named: Any) -> Any:
    good = [event for event in events if not _is_malformed(event)]
    answers = iter(ORIGINAL_SERVICE_REFUSALS(backend, good, *args, **named) if good else [])
    return [dict(_MALFORMED) if _is_malformed(event) else next(answers) for event in events]


def _is_malformed(event: dict[str, Any]) -> bool:
    if "Detail" not in event:
        return False
    try:
        return not isinstance(json.loads(event["Detail"]), dict)
    except (TypeError, ValueError):
        return True


def _send_message(backend: SQSBackend, queue_name: str, message_body: str, *args: Any, **named: Any) -> Any:
    if not message_body:
        raise MissingParameter("MessageBody")
    return ORIGINAL_SEND(backend, queue_name, message_body, *args, **named)


def _failed_entries(error: SfnFailedEntryCountException, cause: Any) -> None:
    ORIGINAL_FAILED(error, json.dumps(cause, separators=(",", ":")))


def _create_secret(backend: SecretsManagerBackend, name: str, *args: Any, **named: Any) -> Any:
    if not _SECRET_NAME.fullmatch(name):
        raise ValidationException(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
    return ORIGINAL_CREATE(backend, name, *args, **named)
