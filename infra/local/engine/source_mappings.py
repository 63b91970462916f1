"""moto serves event source mappings inside the call that wrote: one message a call, made-up attributes, no retries.

Where: `create_event_source_mapping` in moto/awslambda/models.py hangs a mapping on its queue or table, whose
`add_message` (moto/sqs/models.py) and `StreamShard.add` (moto/dynamodb/models/table.py) then call the function. Here a
mapping is kept by Lambda alone, and whoever polls is told of it. A write that changes nothing is no record either.
"""

from __future__ import annotations

from typing import Any, Protocol

from moto.awslambda.models import LambdaBackend
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.sqs.models import sqs_backends

ORIGINAL = LambdaBackend.create_event_source_mapping
ORIGINAL_UPDATE = LambdaBackend.update_event_source_mapping
ORIGINAL_DELETE = LambdaBackend.delete_event_source_mapping
ORIGINAL_RECORD = StreamShard.add


class Poller(Protocol):
    """Who carries records to functions."""

    def mapping_added(self, mapping: Any) -> None:
        """A mapping is new."""

    def mapping_changed(self, mapping: Any) -> None:
        """A mapping was changed or deleted."""

    def table_written(self, table: Any) -> None:
        """A table's stream has grown; called under DynamoDB's lock, so it may only take note."""


_pollers: list[Poller] = []


def bind(poller: Poller | None) -> None:
    """Tell this poller from now on."""
    _pollers[:] = [] if poller is None else [poller]


def install() -> None:
    """Stand behind what concerns mappings."""
    LambdaBackend.create_event_source_mapping = _create
    LambdaBackend.update_event_source_mapping = _update
    LambdaBackend.delete_event_source_mapping = _delete
    StreamShard.add = _record


def _create(backend: Any, spec: dict[str, Any]) -> Any:
    mapping = ORIGINAL(backend, spec)
    account, region = backend.account_id, backend.region_name
    for source in (
        *sqs_backends[account][region].queues.values(),
        *dynamodb_backends[account][region].tables.values(),
    ):
        source.lambda_event_source_mappings.clear()
    for poller in _pollers:
        poller.mapping_added(mapping)
    return mapping


def _update(backend: Any, uuid: str, spec: dict[str, Any]) -> Any:
    mapping = ORIGINAL_UPDATE(backend, uuid, spec)
    for poller in _pollers:
        poller.mapping_changed(mapping)
    return mapping


def _delete(backend: Any, uuid: str) -> Any:
    mapping = ORIGINAL_DELETE(backend, uuid)
    for poller in _pollers:
        poller.mapping_changed(mapping)
    return mapping


def _record(shard: Any, old: Any, new: Any) -> None:
    if old is not None and new is not None and old.to_json() == new.to_json():
        return
    ORIGINAL_RECORD(shard, old, new)
    for poller in _pollers:
        poller.table_written(shard.table)
