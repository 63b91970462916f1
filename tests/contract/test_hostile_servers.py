"""Servers that do not keep to their protocol: nothing of what they send breaks a call, or brings a key or prompt away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from stepward.domain.errors import ProviderFault, ProviderRefused, StreamCut
from stepward.models import reply_builder, streams
from tests.support.model_clients import VENDORS, Vendor
from tests.support.raw_server import raw_server

pytestmark = pytest.mark.enable_socket
ANTHROPIC, OPENAI, CHAT = VENDORS[:3]
KEY = "Zq8rT5vW1yB3nM7k"
BEGUN = {"id": "chat_1", "choices": [{"index": 0, "delta": {"content": "Hi."}, "finish_reason": None}]}
ENDED = {
    "id": "chat_1",
    "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def message(block: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """Write the events of a message of one block as Anthropic does."""
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    return [
        {"type": "message_start", "message": {**start, "usage": {"input_tokens": 5, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def named(events: list[dict[str, Any]]) -> list[str]:
    """Name each event in its frame, which Anthropic's SDK goes by."""
    return [f"{_json(event)}\nevent: {event['type']}" for event in events]


def _json(event: dict[str, Any]) -> str:
    return json.dumps(event)


@pytest.mark.parametrize("vendor", [ANTHROPIC, OPENAI, CHAT], ids=lambda vendor: vendor.kind)
@pytest.mark.parametrize("status", [302, 307])
def test_a_prompt_is_not_sent_to_where_a_server_points(vendor: Vendor, status: int) -> None:
    with raw_server(BEGUN, ENDED) as other:
        there = other.url.replace("127.0.0.1", "localhost") + "/v1"
        with raw_server(status=status, headers={"location": there}) as server:
            with pytest.raises(ProviderRefused, match=str(status)):
                vendor.ask_at(server.url, vendor.request())
            assert len(server.bodies) == 1
        assert other.bodies == []


def test_a_whole_reply_is_kept_where_only_the_connections_end_goes_wrong() -> None:
    events = named(message({"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi."}))
    with raw_server(*events, is_ended=False) as server:
        reply = ANTHROPIC.ask_at(server.url, ANTHROPIC.request())
    assert (reply.text, reply.stop, reply.usage.output_tokens) == ("Hi.", "end", 5)


def test_a_reply_whose_count_does_not_come_any_more_is_whole_and_counted_by_its_bytes() -> None:
    uncounted = {name: value for name, value in ENDED.items() if name != "usage"}
    with raw_server(BEGUN, uncounted, is_ended=False) as server:
        reply = CHAT.ask_at(server.url, CHAT.request())
    assert (reply.text, reply.stop) == ("Hi.", "end")
    assert reply.usage.input_tokens > 0 < reply.usage.output_tokens


@pytest.mark.parametrize(
    "odd",
    [
        [1, 2],
        {"choices": [1]},
        {"choices": [{"index": 0, "delta": {"refusal": 5}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": ["x"]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"function": {"name": 5}}]}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": ["stop"]}]},
        {"choices": [], "usage": 5},
        "[" * 100_000,
    ],
    ids=lambda odd: str(odd)[:60],
)
def test_an_event_of_another_shape_is_a_cut_stream_of_which_what_came_is_paid(odd: Any) -> None:
    with raw_server(BEGUN, odd, ENDED) as server, pytest.raises(StreamCut) as caught:
        CHAT.ask_at(server.url, CHAT.request())
    assert caught.value.partial.text == "Hi."
    assert caught.value.partial.usage.input_tokens > 0


@pytest.mark.parametrize("name", [None, 5])
def test_a_call_of_no_tool_is_a_cut_stream(name: Any) -> None:
    events = named(message({"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}))
    with raw_server(*events) as server, pytest.raises(StreamCut):
        ANTHROPIC.ask_at(server.url, ANTHROPIC.request())


def test_thoughts_and_names_that_are_no_characters_can_be_kept() -> None:
    thought = {"type": "thinking", "thinking": "", "signature": ""}
    events = named(message(thought, {"type": "thinking_delta", "thinking": "\ud800"}))
    with raw_server(*events) as server:
        assert "?" in ANTHROPIC.ask_at(server.url, ANTHROPIC.request()).model_dump_json()
    call = {"index": 0, "id": "a", "function": {"name": "find\ud800", "arguments": "{}"}}
    with raw_server({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}, ENDED) as server:
        assert "find?" in CHAT.ask_at(server.url, CHAT.request()).model_dump_json()


@pytest.mark.parametrize(("given", "kept"), [(7, None), ("z" * 100_000, "z" * 200)])
def test_a_servers_name_for_a_call_is_short_or_none(given: Any, kept: str | None) -> None:
    with raw_server({**BEGUN, "id": given}, {**ENDED, "id": given}) as server:
        assert CHAT.ask_at(server.url, CHAT.request()).request_id == kept


def test_a_reply_without_end_is_left_once_nobody_could_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_builder, "MOST_BYTES", 100)
    words = {"id": "chat_1", "choices": [{"index": 0, "delta": {"content": "x" * 60}}]}
    with raw_server(*[words] * 10, ENDED) as server:
        reply = CHAT.ask_at(server.url, CHAT.request())
    assert (len(reply.text), reply.stop) == (120, "length")


def _refused(**error: str) -> ProviderFault:
    with raw_server(_json({"error": error}), status=400) as server, pytest.raises(ProviderRefused) as caught:
        CHAT.ask_at(server.url, CHAT.request(), access={"key": SecretStr(KEY)})
    return caught.value


def test_no_beginning_of_a_key_is_left_where_a_servers_words_are_cut_short() -> None:
    for before in range(280, 300):
        assert KEY[:3] not in str(_refused(code="bad", message="x" * before + KEY))


def test_a_servers_name_for_an_error_is_cut_short() -> None:
    assert len(str(_refused(code="k" * 100_000, message="no"))) < 200


def test_a_count_that_no_call_can_take_is_bounded() -> None:
    counted = {"prompt_tokens": 10**40, "completion_tokens": 2, "total_tokens": 10**40}
    with raw_server(BEGUN, {**ENDED, "usage": counted}) as server:
        reply = CHAT.ask_at(server.url, CHAT.request())
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (10**9, 2)
