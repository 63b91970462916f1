"""Turns plain values into DynamoDB's typed ones and back, and builds the keys of all tables."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from stepward.adapters.aws.clients import client
from stepward.domain.errors import InvalidRequest
from stepward.domain.runs import RunKey

_WRITE: Final = TypeSerializer()
_READ: Final = TypeDeserializer()
ABSENT: Final = "attribute_not_exists(pk)"
AttributeValue = dict[str, object]
"""One value as DynamoDB writes it, as `{"S": "text"}`."""
Item = dict[str, AttributeValue]
PlainItem = dict[str, Any]
"""An item with plain values: texts, booleans, whole numbers, and lists and dictionaries of them."""
Request = dict[str, object]
"""The arguments of one call of DynamoDB."""
Action = dict[str, Request]
"""One item of a transaction, as `{"Put": request}`."""


def to_item(values: Mapping[str, object]) -> Item:
    """Serialise a dictionary as an item, without its Nones."""
    return {name: _WRITE.serialize(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, AttributeValue]) -> PlainItem:
    """Deserialise an item; numbers come back as int, which is all that we store."""
    return {name: _plain(_READ.deserialize(value)) for name, value in item.items()}


def run_pk(key: RunKey) -> str:
    """Return the partition key of a run, the same in the journal and runtime tables."""
    return f"T#{key.tenant}#R#{key.run}"


def to_cursor(place: str) -> str:
    """Encode a position in a list as an opaque cursor."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """Decode a cursor that `to_cursor` encoded."""
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise bad_cursor() from error
    if not place.isascii() or not place.isprintable() or len(place) > 300:
        raise bad_cursor()
    return place


def bad_cursor() -> InvalidRequest:
    """Return the error for a cursor that we did not write."""
    return InvalidRequest("the cursor cannot be read.", field="cursor", fix="use `next_cursor` as it came")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def every_item(table: str, condition: str, values: Mapping[str, object]) -> Iterator[Item]:
    """Yield the items that match a key condition, read strongly consistent.

    They come as DynamoDB writes them.
    """
    pages = (
        client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield from page["Items"]
