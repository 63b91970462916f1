"""Models on Amazon Bedrock by its Converse API, with the function's own role for a key."""

from __future__ import annotations

import asyncio
import contextvars
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from stepward.adapters.aws.bedrock_protocol import (
    VENDOR,
    connection_fault,
    fault_of_error,
    maker_of,
    request_body,
)
from stepward.adapters.aws.call_connections import CURRENT_CONNECTION, CallConnection, track_connections
from stepward.domain.conversation import ModelReply, ModelRequest, Stop
from stepward.domain.errors import ProviderFault, StreamCut
from stepward.domain.money import Usage
from stepward.models.provider_faults import unreachable
from stepward.models.reply_builder import ReplyBuilder
from stepward.models.streams import CallAbandoned, StreamStalled, Watch, kept_client, run
from stepward.models.token_counts import reported_tokens
from stepward.ports.models import Access, CallContext

_CONNECT_S: Final = 10.0
_BACKSTOP_S: Final = 5.0
"""A silent connection is given up by the watch; a read times out by itself only without one."""
_STOPS: Final[Mapping[str, Stop]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "length",
    "content_filtered": "filtered",
    "guardrail_intervened": "filtered",
    "model_context_window_exceeded": "context",
}
_MALFORMED: Final = frozenset({"malformed_model_output", "malformed_tool_use"})
"""Endings after which Bedrock could not read what the model wrote; another attempt may do better."""
_BROKEN: Final = (
    BotoCoreError, ParserError, ResponseParserError, HTTPError, OSError,
    ValueError, AttributeError, TypeError, LookupError, RecursionError,
)  # fmt: skip
"""What botocore raises of a stream that breaks off or is none, and what events of another shape do."""


class BedrockConverse:
    """Calls models on Bedrock; every reply streams, so that a stalled one is noticed."""

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Make one call.

        Raises:
            ProviderFault: In every way in which no whole reply came; `StreamCut` where a part of it did.
        """
        return run(self._reply(request, call))

    async def _reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        reading = _Reading(ReplyBuilder(request, call), maker_of(call.vendor_model or request.model))
        connection = CallConnection()
        try:
            await self._read(reading, request, connection)
        except CallAbandoned:
            return reading.builder.cut()
        except ClientError as error:
            raise reading.failed(fault_of_error(error, call)) from error
        except (StreamStalled, *_BROKEN) as error:
            # Nothing of the reply is missing where only the connection's end goes wrong, and it is paid.
            if not reading.is_whole:
                raise reading.failed(_fault_of(error, call)) from error
        finally:
            connection.shut_down()
        if reading.builder.is_too_long:
            return reading.builder.too_long()
        if not reading.is_whole:
            raise reading.failed(unreachable(call.provider, "the stream ended before the reply did."))
        return reading.builder.reply()

    async def _read(self, reading: _Reading, request: ModelRequest, connection: CallConnection) -> None:
        call = reading.builder.call
        client, body, watch = _client(call.access), request_body(request, call), Watch(call)
        async for event in watch.events(
            _read_in_thread(lambda: _events(client, body, connection), connection)
        ):
            reading.take(event)
            if reading.is_whole:
                watch.hurry()
            if reading.builder.is_too_long:
                return


def _fault_of(error: Exception, call: CallContext) -> ProviderFault:
    if isinstance(error, BotoCoreError):
        return connection_fault(error, call)
    why = str(error) if isinstance(error, StreamStalled) else f"{type(error).__name__}: {error}"
    return unreachable(call.provider, why)


class _Reading:
    """Puts the events of one stream together."""

    def __init__(self, builder: ReplyBuilder, made_by: str) -> None:
        self.builder = builder
        self._made_by = made_by
        self._stop_reason = ""
        self._thoughts: dict[int, dict[str, Any]] = {}

    @property
    def is_whole(self) -> bool:
        """Whether the reply has ended in a way that Bedrock can read.

        The count of tokens comes after that.
        """
        return self._stop_reason not in ("", *_MALFORMED)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one event; unknown kinds are ignored."""
        for kind, body in event.items():
            match kind:
                case "ResponseMetadata":
                    self.builder.request_id = body.get("RequestId")
                case "contentBlockStart":
                    self._begin(body["contentBlockIndex"], body["start"])
                case "contentBlockDelta":
                    self._piece(body["contentBlockIndex"], body["delta"])
                case "messageStop":
                    self._stop_reason = body["stopReason"]
                    # An end that this release does not know must not pass for a whole answer.
                    self.builder.stop = _STOPS.get(self._stop_reason, "filtered")
                case "metadata":
                    self.builder.usage = _usage(body["usage"])

    def _begin(self, index: int, start: Mapping[str, Any]) -> None:
        use = start.get("toolUse")
        if use and use.get("type") != "server_tool_use":
            self.builder.begin_call(index, use["name"])

    def _piece(self, index: int, delta: Mapping[str, Any]) -> None:
        if "text" in delta:
            self.builder.text(index, delta["text"])
        elif "toolUse" in delta:
            self.builder.arguments(index, delta["toolUse"]["input"])
        elif "reasoningContent" in delta:
            self._think(index, delta["reasoningContent"])

    def _think(self, index: int, piece: Mapping[str, Any]) -> None:
        thought = self._thoughts.setdefault(index, {"maker": self._made_by})
        for name in ("text", "signature"):
            if piece.get(name):
                thought[name] = thought.get(name, "") + piece[name]
        if piece.get("redactedContent"):
            thought["redacted"] = b64encode(piece["redactedContent"]).decode()
        self.builder.opaque(index, VENDOR, thought)
        self.builder.thought(piece.get("text") or "")

    def failed(self, fault: ProviderFault) -> ProviderFault:
        """Attach what came before a fault, because it is paid."""
        if self._stop_reason in _MALFORMED:
            fault = unreachable(self.builder.call.provider, f"the model's output was {self._stop_reason}.")
        if self.builder.has_begun:
            return StreamCut(fault.detail, partial=self.builder.cut())
        return fault


def _usage(said: Mapping[str, Any]) -> Usage:
    """Read a count of tokens.

    Bedrock counts tokens that its cache gave and took apart from `inputTokens`, as we do.
    """
    kept = [one for one in said.get("cacheDetails") or () if one.get("ttl") == "1h"]
    hour = reported_tokens(sum(reported_tokens(one.get("inputTokens")) for one in kept))
    return Usage(
        input_tokens=reported_tokens(said.get("inputTokens")),
        output_tokens=reported_tokens(said.get("outputTokens")),
        cache_read_tokens=reported_tokens(said.get("cacheReadInputTokens")),
        cache_write_tokens=max(0, reported_tokens(said.get("cacheWriteInputTokens")) - hour),
        cache_write_1h_tokens=hour,
    )


class _Client:
    """A boto3 client with an asynchronous `close`, as other vendors' clients have it."""

    def __init__(self, access: Access) -> None:
        timeouts = {"connect_timeout": _CONNECT_S, "read_timeout": access.silence_s + _BACKSTOP_S}
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, **timeouts)
        self.boto = boto3.client("bedrock-runtime", config=config, endpoint_url=access.url)
        track_connections(self.boto)

    async def close(self) -> None:
        self.boto.close()


def _client(access: Access) -> Any:
    return kept_client((VENDOR, access.url, access.silence_s), lambda: _Client(access)).boto


def _events(client: Any, body: Mapping[str, Any], connection: CallConnection) -> Iterator[Mapping[str, Any]]:
    """Make a call and read its stream to the end; first comes the response's metadata."""
    answer = client.converse_stream(**body)
    stream = answer["stream"]
    try:
        kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "")
        if not kind.startswith("application/vnd.amazon.eventstream"):
            raise ValueError(f"a stream was asked for, and {kind or 'nothing that is named'} came.")
        yield {"ResponseMetadata": answer["ResponseMetadata"]}
        yield from stream
        connection.release()
    finally:
        stream.close()


async def _read_in_thread(
    events: Callable[[], Iterator[Any]], connection: CallConnection
) -> AsyncIterator[Any]:
    """Yield the items of a blocking iterator, read in a thread that `connection` can end."""
    loop, came = asyncio.get_running_loop(), asyncio.Queue[Any]()

    def tell(event: Any) -> None:
        loop.call_soon_threadsafe(came.put_nowait, event)

    def work() -> None:
        CURRENT_CONNECTION.set(connection)
        try:
            for event in events():
                tell(event)
        finally:
            tell(None)

    read = loop.run_in_executor(None, contextvars.copy_context().run, work)
    # A call that was given up has no reader for how its reading ended.
    read.add_done_callback(lambda done: done.cancelled() or done.exception())
    while (event := await came.get()) is not None:
        yield event
    await read
