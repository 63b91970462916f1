"""What is Bedrock's alone of its streams and refusals, and the thread that reads them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError, NoCredentialsError, ParamValidationError

from stepward.adapters.aws import bedrock_protocol
from stepward.adapters.aws.bedrock import _Reading
from stepward.adapters.aws.call_connections import CallConnection
from stepward.domain.conversation import OpaquePart
from stepward.domain.errors import (
    ContextTooLong,
    KeyMissing,
    KeyRefused,
    ModelUnknown,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.models import streams
from stepward.models.reply_builder import ReplyBuilder
from stepward.ports.models import CallContext
from stepward.testing.fake_llm import FakeProvider
from tests.support.model_clients import VENDORS

BEDROCK = next(vendor for vendor in VENDORS if vendor.kind == "bedrock")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def _call() -> CallContext:
    return CallContext(provider="bedrock", vendor_model=BEDROCK.model)


def _read(*events: dict[str, Any]) -> _Reading:
    reading = _Reading(ReplyBuilder(BEDROCK.request(), _call()), "anthropic")
    for event in events:
        reading.take(event)
    return reading


def _counted(**usage: int) -> dict[str, Any]:
    return {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8, **usage}}}


def _delta(index: int, **delta: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


def test_thoughts_are_kept_in_pieces_as_they_come() -> None:
    reading = _read(
        _delta(0, reasoningContent={"text": "Let "}),
        _delta(0, reasoningContent={"text": "me see."}),
        _delta(0, reasoningContent={"signature": "sig"}),
        _delta(1, reasoningContent={"redactedContent": b"\x00\xff"}),
        _delta(2, text="Done."),
        {"messageStop": {"stopReason": "end_turn"}},
        _counted(),
    )
    first, second, _ = reading.builder.reply().parts
    assert isinstance(first, OpaquePart)
    assert isinstance(second, OpaquePart)
    assert first.data == {"maker": "anthropic", "text": "Let me see.", "signature": "sig"}
    assert second.data == {"maker": "anthropic", "redacted": "AP8="}
    assert reading.is_whole


def test_what_the_cache_took_is_told_apart_by_how_long_it_is_kept() -> None:
    details: Any = [{"ttl": "1h", "inputTokens": 70}, {"ttl": "5m", "inputTokens": 30}]
    counted = _counted(cacheReadInputTokens=11, cacheWriteInputTokens=100, cacheDetails=details)
    usage = _read(counted).builder.usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (5, 11, 3)
    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (30, 70)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop_sequence", "end"),
        ("content_filtered", "filtered"),
        ("guardrail_intervened", "filtered"),
        ("of_a_later_release", "filtered"),
    ],
)
def test_every_ending_is_one_of_ours(reason: str, stop: str) -> None:
    reading = _read(_delta(0, text="Well"), {"messageStop": {"stopReason": reason}}, _counted())
    assert reading.is_whole
    assert reading.builder.reply().stop == stop


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_output_that_bedrock_cannot_read_is_paid_and_asked_for_again(reason: str) -> None:
    reading = _read(_delta(0, text="Well"), {"messageStop": {"stopReason": reason}}, _counted())
    assert not reading.is_whole
    fault = reading.failed(ProviderUnavailable("x"))
    assert isinstance(fault, StreamCut)
    assert reason in fault.detail
    partial: Any = fault.partial
    assert (partial.usage.output_tokens, partial.stop) == (3, "cut")


def test_a_tool_that_the_vendor_runs_itself_is_no_call_of_ours() -> None:
    use = {"toolUse": {"toolUseId": "x", "name": "search", "type": "server_tool_use"}}
    reading = _read(
        {"contentBlockStart": {"contentBlockIndex": 0, "start": use}},
        _delta(0, toolUse={"input": "{}"}),
        {"messageStop": {"stopReason": "end_turn"}},
        _counted(),
    )
    assert reading.builder.reply().calls == ()


def _refused(code: str, status: int, message: str = "No.") -> ClientError:
    meta = {"HTTPStatusCode": status, "RequestId": "r-1", "HTTPHeaders": {}}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}, "ConverseStream"
    )  # type: ignore[arg-type, unused-ignore]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (_refused("AccessDeniedException", 403, "You don't have access to the model."), KeyRefused, "access to the model"),
        (_refused("ExpiredTokenException", 403), KeyRefused, "ExpiredTokenException"),
        (_refused("ResourceNotFoundException", 404), ModelUnknown, "r-1"),
        (_refused("ValidationException", 400, "The provided model identifier is invalid."), ModelUnknown, "no model"),
        (_refused("ValidationException", 400, "Input is too long for requested model."), ContextTooLong, "too long"),
        (_refused("ValidationException", 400, "prompt is too long: 9 tokens > 8 maximum"), ContextTooLong, "too long"),
        (_refused("ValidationException", 400, "The maximum tokens you requested exceeds the model limit of 8."), ProviderRefused, "limit of 8"),
        (_refused("ServiceQuotaExceededException", 400), ProviderRefused, "allows no more"),
        (_refused("ModelNotReadyException", 429), ProviderThrottled, "ModelNotReady"),
        (_refused("ModelErrorException", 424), ProviderUnavailable, "failed"),
        (_refused("ModelTimeoutException", 408), ProviderUnavailable, "ModelTimeout"),
    ],
    ids=lambda value: value.response["Error"]["Code"] if isinstance(value, ClientError) else "",
)  # fmt: skip
def test_every_refusal_says_who_must_act(error: ClientError, kind: type[ProviderFault], words: str) -> None:
    fault = bedrock_protocol.fault_of_error(error, _call())
    assert type(fault) is kind
    assert words in fault.detail
    assert fault.fix or kind in (ContextTooLong, ProviderThrottled, ProviderUnavailable)


def test_a_message_that_repeats_what_was_signed_is_not_shown() -> None:
    message = "The canonical string should have been 'x-amz-security-token:planted'"
    fault = bedrock_protocol.fault_of_error(_refused("InvalidSignatureException", 403, message), _call())
    assert "planted" not in f"{fault.detail}{fault.fix}"
    assert "role" in str(fault.fix)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("throttlingException", ProviderThrottled),
        ("modelStreamErrorException", ProviderUnavailable),
        ("internalServerException", ProviderUnavailable),
        ("serviceUnavailableException", ProviderUnavailable),
        ("validationException", ProviderRefused),
    ],
)
def test_an_error_within_a_stream_means_what_it_means_before_one(
    code: str, kind: type[ProviderFault]
) -> None:
    meta = {"HTTPStatusCode": 400, "HTTPHeaders": {}}
    error = EventStreamError(
        {"Error": {"Code": code, "Message": "No."}, "ResponseMetadata": meta}, "ConverseStream"
    )  # type: ignore[arg-type, unused-ignore]
    assert type(bedrock_protocol.fault_of_error(error, _call())) is kind


def test_a_function_without_a_role_is_told_so() -> None:
    fault = bedrock_protocol.connection_fault(NoCredentialsError(), _call())
    assert isinstance(fault, KeyMissing)
    assert "InvokeModelWithResponseStream" in str(fault.fix)
    invalid = bedrock_protocol.connection_fault(ParamValidationError(report="toolUseId: too long"), _call())
    assert type(invalid) is ProviderRefused


@pytest.mark.enable_socket
def test_a_prompt_over_the_window_is_named(provider: FakeProvider) -> None:
    with pytest.raises(ContextTooLong):
        BEDROCK.ask(provider, BEDROCK.request(input="word " * 1_300_000))


@pytest.mark.enable_socket
def test_a_call_that_nobody_waits_for_ends_before_its_stream_begins(provider: FakeProvider) -> None:
    provider.script("One.", "Two.")
    provider.fault("hang", seconds=60)
    assert BEDROCK.ask(provider, BEDROCK.request(), is_over=lambda: True).stop == "cut"
    assert provider.wait_until(lambda requests: requests[-1].disconnected, 60)
    assert BEDROCK.ask(provider, BEDROCK.request()).text == "Two."


@pytest.mark.enable_socket
def test_a_connection_serves_the_next_call_too(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.script("One.", "Two.", "Three.")
    taken: list[socket.socket] = []
    acquire = CallConnection.acquire
    monkeypatch.setattr(CallConnection, "acquire", lambda call, one: (taken.append(one), acquire(call, one)))
    for text in ("One.", "Two.", "Three."):
        assert BEDROCK.ask(provider, BEDROCK.request()).text == text
    assert len(set(map(id, taken))) == 1


@pytest.mark.enable_socket
def test_all_that_can_be_asked_for_passes_the_sdks_own_check(provider: FakeProvider) -> None:
    provider.script('{"city": "Ghent"}')
    options = {"effort": "high", "thinking": True, "cache": "1h"}
    reply = BEDROCK.ask(provider, BEDROCK.request(options=options, output_schema=SCHEMA))
    assert reply.text == '{"city": "Ghent"}'
