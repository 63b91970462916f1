"""Event notifications of buckets: to functions, queues and the bus, after the change.

Source: "Event message structure" and "Using EventBridge" of the S3 guide.
"""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any
from urllib.parse import quote_plus

from moto.s3.models import FakeBucket, FakeKey

from infra.local import account
from infra.local.triggers.bus import Bus
from infra.local.triggers.clock import Clock
from infra.local.triggers.delivery import Deliveries

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl": "Object ACL Updated",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
}
_REASONS = {"Put": "PutObject", "Post": "POST Object", "Copy": "CopyObject"}
_ORDER = itertools.count(1)


class BucketEvents:
    """Sends the events that a bucket's configuration asks for."""

    def __init__(self, clock: Clock, deliveries: Deliveries, bus: Bus) -> None:
        """Keep the clock, the deliveries and the bus."""
        self._clock = clock
        self._deliveries = deliveries
        self._bus = bus

    def changed(self, event_name: str, bucket: FakeBucket, key: FakeKey) -> None:
        """Send the events of one change."""
        configuration = bucket.notification_configuration
        sequencer = f"{next(_ORDER):018X}"
        for target in (*configuration.cloud_function, *configuration.queue):
            if target.matches(event_name, key.name):
                record = self._record(event_name, bucket, key, target.id, sequencer)
                sender = {"SOURCE_ARN": bucket.arn}
                self._deliveries.send({"Arn": target.arn}, json.dumps({"Records": [record]}), sender)
        kind = event_name.removeprefix("s3:")
        detail_type = _DETAIL_TYPES.get(kind) or _DETAIL_TYPES.get(kind.split(":", maxsplit=1)[0])
        if configuration.event_bridge is not None and detail_type:
            self._bus.publish("aws.s3", detail_type, _detail(kind, bucket, key, sequencer), [bucket.arn])

    def _record(
        self, event_name: str, bucket: FakeBucket, key: FakeKey, configuration_id: str, sequencer: str
    ) -> dict[str, Any]:
        moment = self._clock.now()
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": account.REGION,
            "eventTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
            "eventName": event_name.removeprefix("s3:"),
            "userIdentity": {"principalId": f"AWS:{account.ACCOUNT_ID}"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper()},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {
                    "name": bucket.name,
                    "ownerIdentity": {"principalId": account.ACCOUNT_ID},
                    "arn": bucket.arn,
                },
                "object": {
                    **_object(bucket, key, sequencer, "eTag", "versionId"),
                    "key": quote_plus(key.name, safe="/"),
                },
            },
        }


def _object(bucket: FakeBucket, key: FakeKey, sequencer: str, etag: str, version: str) -> dict[str, Any]:
    described: dict[str, Any] = {"key": key.name, "sequencer": sequencer}
    if hasattr(key, "etag"):
        described |= {"size": key.size, etag: key.etag.replace('"', "")}
    if bucket.is_versioned:
        described[version] = str(key.version_id)
    return described


def _detail(kind: str, bucket: FakeBucket, key: FakeKey, sequencer: str) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": _object(bucket, key, sequencer, "etag", "version-id"),
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": account.ACCOUNT_ID,
        "source-ip-address": "127.0.0.1",
    }
    action = kind.rsplit(":", maxsplit=1)[-1]
    if kind.startswith("ObjectCreated"):
        detail["reason"] = _REASONS.get(action, action)
    elif kind.startswith("ObjectRemoved"):
        detail["reason"] = "DeleteObject"
        is_marker = action == "DeleteMarkerCreated"
        detail["deletion-type"] = "Delete Marker Created" if is_marker else "Permanently Deleted"
    return detail
