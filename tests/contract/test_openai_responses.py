"""What OpenAI's Responses API alone says and wants, by the real SDK over loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.conversation import (
    ModelReply,
    OpaquePart,
    TextPart,
)
from stepward.domain.errors import (
    ContextTooLong,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.domain.money import Usage
from stepward.models import streams
from tests.support.model_clients import VENDORS, answered
from tests.support.raw_server import RawServer, raw_server

pytestmark = pytest.mark.enable_socket
OPENAI = next(vendor for vendor in VENDORS if vendor.kind == "openai")
LUNA = OPENAI.capabilities
USAGE = {
    "input_tokens": 5_000,
    "input_tokens_details": {"cached_tokens": 3_000, "cache_write_tokens": 1_500},
    "output_tokens": 90,
    "output_tokens_details": {"reasoning_tokens": 60},
    "total_tokens": 5_090,
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def _response(status: str, **more: Any) -> dict[str, Any]:
    kind = "created" if status == "in_progress" else status
    said = {"id": "resp_1", "object": "response", "status": status, "output": [], "usage": None, **more}
    return {"type": f"response.{kind}", "response": said}


def _done(at: int, **item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": at, "item": item}


def _message(at: int, text: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return _done(at, type="message", id=f"msg_{at}", role="assistant", status="completed", content=content, **more)  # fmt: skip


BEGUN = _response("in_progress")


def _ask(server: RawServer, **changed: Any) -> ModelReply:
    return OPENAI.ask_at(server.url, OPENAI.request(**changed))


def test_openais_arithmetic_becomes_ours() -> None:
    long = {"ttl_12h_tokens": 500, "ttl_30m_tokens": 1_000}
    details = USAGE["input_tokens_details"] | {"cache_write_tokens_details": long}
    for said, written, hour in ((USAGE, 1_500, 0), ({**USAGE, "input_tokens_details": details}, 1_000, 500)):
        with raw_server(BEGUN, _message(0, "Hi."), _response("completed", usage=said)) as server:
            assert _ask(server).usage == Usage(
                input_tokens=500,
                output_tokens=90,
                cache_read_tokens=3_000,
                cache_write_tokens=written,
                cache_write_1h_tokens=hour,
                reasoning_tokens=60,
            )


def test_reasoning_and_phases_come_back_as_they_were_and_where_they_were() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA", "fresh": [1]}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_x", "name": "find_order", "arguments": ""}
    events = [
        BEGUN,
        {"type": "response.output_item.added", "output_index": 0, "item": {**thought, "encrypted_content": "gA"}},
        _done(0, **thought),
        _message(1, "I look.", phase="commentary"),
        _done(2, **call),
        _message(3, "One moment.", phase="commentary"),
        _response("completed", usage=USAGE),
    ]  # fmt: skip
    with raw_server(*events) as server:
        reply = _ask(server)
        assert reply.parts[0] == OpaquePart(vendor="openai", data=thought)
        assert reply.parts[1] == TextPart(chars=7, extra={"phase": "commentary"})
        again = ModelReply.model_validate_json(reply.model_dump_json())
        _ask(server, history=(answered(again, {"found": True}),))
    assert server.bodies[1]["input"] == [
        {"role": "user", "content": "Where is SO-1?"},
        thought,
        {"role": "assistant", "content": "I look.", "phase": "commentary"},
        {"type": "function_call", "call_id": "call_1_1", "name": "find_order", "arguments": "{}"},
        {"role": "assistant", "content": "One moment.", "phase": "commentary"},
        {"type": "function_call_output", "call_id": "call_1_1", "output": '{"found": true}'},
    ]


def test_reasoning_that_openai_would_have_to_look_up_is_not_sent_back() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    with raw_server(BEGUN, _done(0, **thought), _message(1, "Hi."), _response("completed")) as server:
        reply = _ask(server)
    assert (reply.text, reply.parts) == ("Hi.", ())


@pytest.mark.parametrize(
    ("response", "stop"),
    [
        (_response("incomplete", incomplete_details={"reason": "max_output_tokens"}), "length"),
        (_response("incomplete", incomplete_details={"reason": "content_filter"}), "filtered"),
        (_response("incomplete", incomplete_details={"reason": "of tomorrow"}), "filtered"),
        (_response("incomplete"), "filtered"),
        (_response("failed", error={"code": "bio_policy", "message": "No."}), "filtered"),
        (_response("failed", error={"code": "invalid_prompt", "message": "No."}), "filtered"),
    ],
)
def test_no_ending_passes_for_a_whole_answer(response: dict[str, Any], stop: str) -> None:
    response["response"]["usage"] = USAGE
    with raw_server(BEGUN, _message(0, "Well,"), response) as server:
        reply = _ask(server)
    assert (reply.stop, reply.text, reply.usage.output_tokens) == (stop, "Well,", 90)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", ProviderUnavailable),
        ("rate_limit_exceeded", ProviderThrottled),
        ("vector_store_timeout", ProviderUnavailable),
        ("data_residency_mismatch", ProviderRefused),
        ("context_length_exceeded", ContextTooLong),
        ("insufficient_quota", ProviderRefused),
    ],
)
@pytest.mark.parametrize("shape", ["failed", "error", "wrapped"])
def test_a_response_that_fails_before_it_begins_is_free(
    code: str, kind: type[ProviderFault], shape: str
) -> None:
    error = {"code": code, "message": "It failed."}
    said: dict[str, Any] = {
        "failed": _response("failed", error=error),
        "error": {"type": "error", **error, "param": None, "sequence_number": 1},
        "wrapped": {"type": "error", "error": {"type": code, "code": None, "message": "It failed."}},
    }[shape]
    events = (BEGUN, said) if shape == "failed" else (said,)
    with raw_server(*events) as server, pytest.raises(kind) as caught:
        _ask(server)
    assert type(caught.value) is kind
    assert "It failed" in caught.value.detail


def test_a_response_that_fails_after_it_began_is_paid() -> None:
    failed = _response("failed", error={"code": "server_error", "message": "Down."}, usage=USAGE)
    with raw_server(BEGUN, _message(0, "Well,"), failed) as server, pytest.raises(StreamCut) as caught:
        _ask(server)
    partial: Any = caught.value.partial
    assert (partial.stop, partial.usage.cache_read_tokens, partial.usage.output_tokens) == ("cut", 3_000, 90)


def test_what_streams_without_deltas_is_read_at_its_end() -> None:
    call = {"type": "function_call", "call_id": "x", "name": "find_order", "arguments": '{"order_id": "1"}'}
    with raw_server(BEGUN, _message(0, "Hi."), _done(1, **call), _response("completed")) as server:
        reply = _ask(server)
    assert (reply.text, reply.calls[0].arguments) == ("Hi.", {"order_id": "1"})
    assert reply.usage.input_tokens > 0  # no count came, and the prompt is not free


def test_half_a_character_and_unreadable_arguments_can_be_gone_on_from() -> None:
    call = {"type": "function_call", "call_id": "x", "name": "find_order", "arguments": '{"a": "\\ud800"}'}
    events = (BEGUN, _message(0, "\ud800!"), _done(1, **call), _response("completed", usage=USAGE))
    with raw_server(*events) as server:
        reply = _ask(server)
        assert (reply.text, reply.calls[0].arguments) == ("?!", None)
        _ask(server, history=(answered(reply, {"error": "x"}, error="ToolArgumentInvalid"),))
    sent = next(item for item in server.bodies[1]["input"] if item.get("type") == "function_call")
    assert json.loads(sent["arguments"]) == {"unreadable": '{"a": "\\ud800"}'}
