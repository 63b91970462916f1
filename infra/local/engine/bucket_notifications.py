"""moto tells of a bucket's changes inside the call that made them, swallows every error, and never of delete markers.

Where: `send_event` in moto/s3/notifications.py and `S3Backend._set_delete_marker` in moto/s3/models.py. Its events lack
version, sequencer and who did it, and those for EventBridge have made-up fields. Every PutObject is also told as a change of tags.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.s3 import notifications
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

ORIGINAL = notifications.send_event
ORIGINAL_MARKER = S3Backend._set_delete_marker  # noqa: SLF001
ORIGINAL_TAGGING = S3Response.put_object_tagging
TAGGED = "s3:ObjectTagging:Put"
MARKED = "s3:ObjectRemoved:DeleteMarkerCreated"

Receiver = Callable[[str, Any, Any], None]
"""Takes the event's name, the bucket and the object."""

_receivers: list[Receiver] = []
_call = threading.local()


def bind(receiver: Receiver | None) -> None:
    """Tell this receiver of every change from now on."""
    _receivers[:] = [] if receiver is None else [receiver]


def install() -> None:
    """Stand where moto sends its own."""
    notifications.send_event = _send
    S3Backend._set_delete_marker = _mark  # noqa: SLF001
    S3Response.put_object_tagging = _tag


def _send(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
    name = str(getattr(event_name, "value", event_name))
    if not _receivers:
        ORIGINAL(account_id, event_name, bucket, key)
    elif bucket.notification_configuration is not None and (name != TAGGED or _is_tagging()):
        _receivers[0](name, bucket, key)


def _is_tagging() -> bool:
    return getattr(_call, "is_tagging", False)


def _tag(response: Any) -> Any:
    _call.is_tagging = True
    try:
        return ORIGINAL_TAGGING(response)
    finally:
        _call.is_tagging = False


def _mark(backend: Any, bucket_name: str, key_name: str) -> Any:
    marker = ORIGINAL_MARKER(backend, bucket_name, key_name)
    _send(backend.account_id, MARKED, backend.get_bucket(bucket_name), marker)
    return marker
