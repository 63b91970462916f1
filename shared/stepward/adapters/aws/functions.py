"""Lambda functions that carry out tools: what their folders publish, and their calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.adapters.aws.items import Item, from_item, to_item
from stepward.domain.errors import ToolFailed, ToolUnavailable
from stepward.domain.json_text import NotJson, read_json
from stepward.domain.tools import ToolFolder
from stepward.domain.ttl_cache import TtlCache

TAG: Final = "stepward:tool"
_TAGS_KEPT_S: Final = 300
_LONGEST_CALL_S: Final = 270
_DEAD: Final = ("Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory")
_TURNED_AWAY: Final = frozenset({"TooManyRequestsException", "ThrottlingException", "ServiceException"})
_CONFIG: Final = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=2,
    read_timeout=_LONGEST_CALL_S,
    max_pool_connections=16,
)


@dataclass
class LambdaFunctions:
    """Calls the functions of a stage; `folders` maps its folders of tools to function names."""

    folders: Mapping[str, str]
    _tagged: TtlCache[bool] = field(default_factory=lambda: TtlCache(_TAGS_KEPT_S))

    def own(self, folder: str, payload: dict[str, Any]) -> Any:
        """Call the function of a folder of tools."""
        if folder not in self.folders:
            raise ToolFailed(f"the folder {folder} is not deployed any more.")
        return _invoke(self.folders[folder], payload, {})

    def foreign(self, name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
        """Call another function that its owner has tagged as a tool."""
        if not self._is_tool(name):
            raise ToolFailed(f"the function {name} does not carry the tag {TAG}.")
        return _invoke(name, payload, custom)

    def _is_tool(self, name: str) -> bool:
        """Return whether a function carries the tag, remembered for five minutes.

        One without the tag is asked again at every call.
        """
        return self._tagged.read(name, lambda: TAG in _tags(name), keep_if=bool)


def _tags(name: str) -> dict[str, str]:
    try:
        tags: dict[str, str] = _client().get_function(FunctionName=name).get("Tags", {})
    except (ClientError, AwsConnectionError, HTTPClientError) as error:
        raise ToolUnavailable(
            f"the tags of the function {name} cannot be read: {error}", has_begun=False
        ) from error
    return tags


def _invoke(name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
    context = base64.b64encode(json.dumps({"custom": custom}).encode()).decode()
    try:
        answer = _client().invoke(
            FunctionName=name,
            Payload=json.dumps(payload).encode(),
            **({"ClientContext": context} if custom else {}),
        )
        body = answer["Payload"].read()
    except ClientError as error:
        detail = f"the function {name} was not called: {error_code(error)}."
        if error_code(error) in _TURNED_AWAY:
            raise ToolUnavailable(detail, has_begun=False) from error
        raise ToolFailed(detail) from error
    except (AwsConnectionError, HTTPClientError) as error:
        raise ToolUnavailable(f"the function {name} gave no answer: {type(error).__name__}.") from error
    return _raised(name, json.loads(body)) if answer.get("FunctionError") else _answer(name, body or b"null")


def _answer(name: str, body: bytes) -> Any:
    try:
        return read_json(body)
    except NotJson as error:
        raise ToolFailed(f"the function {name} answered what is not JSON: {error}.") from error


def _raised(name: str, fault: dict[str, Any]) -> Any:
    kind, text = str(fault.get("errorType", "")), str(fault.get("errorMessage", ""))
    detail = f"the function {name} raised {kind or 'an error'}: {text}"[:500]
    if kind in _DEAD or "Task timed out after" in text:
        raise ToolUnavailable(detail)
    raise ToolFailed(detail)


@cache
def _client() -> Any:
    """Return a client of its own for tools.

    Other calls have seconds; a tool may take minutes and is never sent twice.
    """
    return boto3.client("lambda", config=_CONFIG)


_PARTITION: Final = "PLATFORM#TOOLS"


@dataclass(frozen=True)
class DynamoPublishedTools:
    """Keeps published tools in the registry table."""

    table: str

    def put(self, folder: ToolFolder) -> None:
        """Replace a folder's item; deployments follow each other, so the last one is right."""
        item = {
            "pk": _PARTITION,
            "sk": _sort_key(folder.room),
            "kind": "tools",
            "v": 1,
            "body": folder.model_dump_json(),
        }
        with translated(f"publishing the tools of {folder.room}"):
            client("dynamodb").put_item(TableName=self.table, Item=to_item(item))

    def folder(self, folder: str) -> ToolFolder | None:
        """Read one folder's tools."""
        key = to_item({"pk": _PARTITION, "sk": _sort_key(folder)})
        with translated(f"reading the tools of {folder}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=key).get("Item")
        return _folder_of(found) if found else None

    def folders(self) -> list[ToolFolder]:
        """Read all folders' tools in one query."""
        with translated("reading the published tools"):
            pages = (
                client("dynamodb")
                .get_paginator("query")
                .paginate(
                    TableName=self.table,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues=to_item({":pk": _PARTITION}),
                )
            )
            return [_folder_of(item) for page in pages for item in page["Items"]]


def _sort_key(folder: str) -> str:
    return f"ROOM#{folder}"


def _folder_of(item: Item) -> ToolFolder:
    return ToolFolder.model_validate_json(from_item(item)["body"])
