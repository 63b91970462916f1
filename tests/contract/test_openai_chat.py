"""What servers that speak Chat Completions make of them, by the real SDK over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.conversation import Exchange, ModelReply, ToolSchema
from stepward.domain.errors import (
    ContextTooLong,
    KeyRefused,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.domain.model_cards import Capabilities
from stepward.domain.money import Usage
from stepward.models import streams
from stepward.ports.models import Delta
from tests.support.model_clients import VENDORS, answered
from tests.support.raw_server import RawServer, raw_server

pytestmark = pytest.mark.enable_socket
CHAT = next(vendor for vendor in VENDORS if vendor.kind == "openai-chat")
PLAIN = Capabilities()
USAGE = {"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59}
STRICT = ToolSchema(name="now", description="", parameters={
    "type": "object", "properties": {}, "required": [], "additionalProperties": False,
})  # fmt: skip
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def _chunk(finish: str | None = None, usage: Any = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice], "usage": usage}


def _call(tool: str, arguments: str, **more: Any) -> dict[str, Any]:
    return {"function": {"name": tool, "arguments": arguments}, **more}


def _ask(server: RawServer, *, capabilities: Capabilities = PLAIN, **changed: Any) -> ModelReply:
    return CHAT.ask_at(server.url, CHAT.request(**changed), capabilities=capabilities)


def test_a_plain_server_is_asked_for_what_every_server_knows() -> None:
    with raw_server(_chunk("stop", USAGE, content="Hi."), "[DONE]") as server:
        _ask(server, options={"effort": "high", "thinking": True, "temperature": 0.5}, output_schema=SCHEMA)
    body = server.bodies[0]
    assert body.keys() == {
        "model", "messages", "max_tokens", "stream", "stream_options", "tools",
    }  # fmt: skip
    assert body["stream_options"] == {"include_usage": True}
    assert body["messages"][0] == {"role": "system", "content": "You help with orders."}
    assert body["tools"][0]["function"].keys() == {"name", "description", "parameters"}


def test_a_model_that_can_more_is_asked_for_more() -> None:
    given = {"options": {"effort": "high"}, "output_schema": SCHEMA, "tools": (STRICT,)}
    with raw_server(_chunk("stop", USAGE, content="Hi."), "[DONE]") as server:
        _ask(server, capabilities=CHAT.capabilities, **given)
    body = server.bodies[0]
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (1024, "high")
    assert "max_tokens" not in body
    assert body["tools"][0]["function"]["strict"] is True
    assert body["response_format"]["json_schema"] == {
        "name": "answer", "schema": {**SCHEMA, "additionalProperties": False}, "strict": True,
    }  # fmt: skip


def test_a_conversation_alternates_and_answers_every_call() -> None:
    calls = [_call("find_order", '{"order_id": "1"}', id="x", index=0)]
    with raw_server(_chunk("tool_calls", USAGE, content="I look.", tool_calls=calls), "[DONE]") as server:
        first = _ask(server)
        told = answered(first, {"found": True}).model_copy(update={"note": "Be quick."})
        empty = Exchange(reply=ModelReply(), note="Answer now.")
        _ask(server, history=(told, empty))
    arguments = '{"order_id": "1"}'
    function = {"name": "find_order", "arguments": arguments}
    assert server.bodies[1]["messages"][1:] == [
        {"role": "user", "content": "Where is SO-1?"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [{"id": "call_1_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1_1", "content": '{"found": true}'},
        {"role": "user", "content": "Be quick.\n\nAnswer now."},
    ]


def test_calls_without_ids_in_one_piece_and_numbered_alike_are_kept_apart() -> None:
    calls = [_call("find_order", '{"order_id": "1"}', index=0), _call("find_order", "", index=1)]
    more = [_call("find_order", '{"order_id": "2"}', index=0)]
    with raw_server(_chunk(tool_calls=calls), _chunk("stop", USAGE, tool_calls=more), "[DONE]") as server:
        reply = _ask(server)
    assert reply.stop == "tools"
    assert [call.id for call in reply.calls] == ["call_1_1", "call_1_2", "call_1_3"]
    assert [call.arguments for call in reply.calls] == [{"order_id": "1"}, {}, {"order_id": "2"}]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_what_a_model_thinks_is_shown_and_not_sent_back(name: str) -> None:
    seen: list[Delta] = []
    with raw_server(_chunk(**{name: "Hm."}), _chunk("stop", USAGE, content="Hi."), "[DONE]") as server:
        reply = CHAT.ask_at(server.url, CHAT.request(), on_delta=seen.append)
        _ask(server, history=(Exchange(reply=reply, note="Go on."),))
    assert seen == [Delta("thinking", "Hm."), Delta("text", "Hi.")]
    assert reply.parts == ()
    assert "Hm." not in str(server.bodies[1])


def test_a_server_that_counts_nothing_is_counted_by_bytes() -> None:
    with raw_server(_chunk(content="word " * 72), _chunk("stop"), "[DONE]") as server:
        usage = _ask(server).usage
    assert usage.output_tokens == 100
    assert usage.input_tokens > 50


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        (USAGE, Usage(input_tokens=50, output_tokens=9)),
        (
            {**USAGE, "prompt_tokens_details": {"cached_tokens": 30}, "completion_tokens_details": None},
            Usage(input_tokens=20, cache_read_tokens=30, output_tokens=9),
        ),
        (
            {**USAGE, "completion_tokens_details": {"reasoning_tokens": 4}},
            Usage(input_tokens=50, output_tokens=9, reasoning_tokens=4),
        ),
        (
            {**USAGE, "total_tokens": 79, "completion_tokens_details": {"reasoning_tokens": 20}},
            Usage(input_tokens=50, output_tokens=29, reasoning_tokens=20),
        ),
    ],
)
def test_each_servers_arithmetic_becomes_ours(said: dict[str, Any], usage: Usage) -> None:
    last = {"id": "chatcmpl-1", "choices": [], "usage": said}
    with raw_server(_chunk(content="Hi."), _chunk("stop"), last, "[DONE]") as server:
        assert _ask(server).usage == usage


def test_a_reply_without_a_reason_is_whole_only_where_its_end_is_seen() -> None:
    with raw_server(_chunk(content="Hi."), "[DONE]") as server:
        reply = _ask(server)
        assert (reply.text, reply.stop, reply.request_id) == ("Hi.", "end", "chatcmpl-1")
    with raw_server(_chunk(content="Hi."), is_framed=False) as server, pytest.raises(StreamCut):
        _ask(server)
    with raw_server(_chunk(content="Hi."), _chunk(usage=USAGE), is_framed=False) as server:
        assert _ask(server).stop == "end"
    with raw_server(_chunk(role="assistant"), "[DONE]") as server, pytest.raises(StreamCut):
        _ask(server)


@pytest.mark.parametrize(
    ("finish", "stop"),
    [("stop", "end"), ("length", "length"), ("content_filter", "filtered"), ("abort", "filtered")],
)
def test_no_ending_passes_for_a_whole_answer(finish: str, stop: str) -> None:
    calls = [_call("find_order", '{"order_id": "1"}', index=0)]
    with raw_server(_chunk(content="Hi.", tool_calls=calls), _chunk(finish, USAGE), "[DONE]") as server:
        reply = _ask(server)
    assert (reply.stop, len(reply.calls)) == (("tools", 1) if finish == "stop" else (stop, 0))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Slow down.", "code": 429}, ProviderThrottled),
        ({"message": "No room.", "code": 502}, ProviderUnavailable),
        ({"message": "Bad.", "type": "BadRequestError", "code": 400}, ProviderRefused),
        ({"message": "Gone.", "code": 402}, ProviderRefused),
        ({"message": "It broke.", "type": "InternalServerError"}, ProviderUnavailable),
        ({"message": "the model's context length is only 4096 tokens", "code": 400}, ContextTooLong),
    ],
)
def test_an_error_in_a_stream_is_read_whatever_its_shape(
    error: dict[str, Any], kind: type[ProviderFault]
) -> None:
    with raw_server({"error": error}) as server, pytest.raises(kind) as caught:
        _ask(server)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error"}}', ContextTooLong),
        (400, '{"object": "error", "message": "maximum context length is 4096", "code": 400}', ContextTooLong),
        (401, '{"detail": "sk-planted-0123456789abcdef is wrong"}', KeyRefused),
        (422, '{"detail": [{"loc": ["body"], "msg": "extra"}]}', ProviderRefused),
        (500, "plain words", ProviderUnavailable),
        (503, '["a list"]', ProviderUnavailable),
    ],
)  # fmt: skip
def test_a_refusal_is_read_whatever_its_shape(status: int, body: str, kind: type[ProviderFault]) -> None:
    with raw_server(body, status=status) as server, pytest.raises(kind) as caught:
        _ask(server)
    assert type(caught.value) is kind
    assert "0123456789" not in f"{caught.value.detail}{caught.value.__cause__}"
