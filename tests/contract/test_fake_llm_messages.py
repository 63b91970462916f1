"""The loopback provider speaks Anthropic's Messages API: held to it by the vendor's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from stepward.testing.fake_llm import FakeProvider, Settings, key_digest

TOOLS: Any = [{"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}]
ASK: Any = {"model": "claude-haiku-5-5", "max_tokens": 1_000, "tools": TOOLS}
TASK: Any = {"role": "user", "content": "Where is SO-1?"}
LOOK: Any = {"thinking": "An order.", "text": "Let me look.", "calls": [{"tool": "find", "arguments": {"key": "SO-1", "many": [1, {"ü": None}]}}]}  # fmt: skip


def _client(provider: FakeProvider, **more: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=provider.url, api_key="sk-ant-a", max_retries=0, timeout=20, **more)


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[anthropic.Anthropic]:
    with _client(provider) as made:
        yield made


def _streamed(client: anthropic.Anthropic, *messages: Any, **more: Any) -> Any:
    with client.messages.stream(messages=messages, **{**ASK, **more}) as stream:
        return stream.get_final_message()


def _result(message: Any, content: str = "[]", **more: Any) -> Any:
    uses = [block for block in message.content if block.type == "tool_use"]
    return {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": use.id, "content": content, **more} for use in uses
        ],
    }


def test_a_stream_and_a_whole_reply_say_the_same(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.script(LOOK, LOOK)
    streamed, whole = _streamed(client, TASK), client.messages.create(messages=[TASK], **ASK)
    for message in (streamed, whole):
        thought, text, use = message.content
        assert (thought.type, thought.thinking, bool(thought.signature)) == ("thinking", "An order.", True)
        assert (text.text, use.name, use.input) == ("Let me look.", "find", LOOK["calls"][0]["arguments"])
        assert (message.stop_reason, message.model) == ("tool_use", "claude-haiku-5-5")
        assert message.usage.output_tokens > message.usage.output_tokens_details.thinking_tokens > 0
    assert streamed.usage.model_dump() == whole.usage.model_dump()
    assert streamed.content[2].id != whole.content[2].id
    assert whole._request_id == provider.requests[1].request_id


def test_a_stream_has_the_events_of_the_vendor(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.script(LOOK)
    with client.messages.with_streaming_response.create(messages=[TASK], stream=True, **ASK) as response:
        names = [line[7:] for line in response.iter_lines() if line.startswith("event: ")]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-2:] == ["message_delta", "message_stop"]
    assert names.count("content_block_start") == names.count("content_block_stop") == 3
    assert names.count("content_block_delta") >= 10
    assert provider.requests[0].events_sent == len(names)


def test_it_is_asked_what_came_in_and_never_tells_the_key(
    provider: FakeProvider, client: anthropic.Anthropic
) -> None:
    provider.script("Hello.")
    client.messages.create(messages=[TASK], **ASK)
    (request,) = provider.requests
    assert (request.path, request.body["messages"], request.status) == ("/v1/messages", [TASK], 200)
    assert request.key_digest == key_digest("sk-ant-a")
    assert "sk-ant-a" not in repr(request)


def test_a_conversation_goes_on_with_its_calls_and_results(
    provider: FakeProvider, client: anthropic.Anthropic
) -> None:
    provider.script(LOOK, "It is on its way.")
    first = _streamed(client, TASK)
    asked = {"role": "assistant", "content": first.content}
    second = _streamed(client, TASK, asked, _result(first))
    assert (second.content[0].text, second.stop_reason) == ("It is on its way.", "end_turn")


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], "messages: at least one message is required"),
        ([{"role": "assistant", "content": "x"}], 'first message must use the "user" role'),
        ([{"role": "user", "content": ""}], "non-empty content"),
        ([{"role": "user", "content": [{"type": "text", "text": ""}]}], "text content blocks must be non-empty"),
        ([TASK, {"role": "assistant", "content": "Half an ans"}], "does not support assistant message prefill"),
        ([TASK, "use", TASK], "`tool_use` ids were found without `tool_result` blocks immediately after: call_1"),
        ([TASK, "use"], "`tool_use` ids were found without"),
        ([TASK, "use", {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "call_1", "content": "1"}]}], "`tool_use` ids were found without"),
        ([TASK, "use", {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_2", "content": "1"}]}], "unexpected `tool_use_id` found"),
        ([TASK, "use", "result", "use", "result"], "`tool_use` ids must be unique"),
        ([TASK, "use", "result", {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "eA=="}]}, TASK], "Invalid `signature` in `thinking` block"),
    ],
)  # fmt: skip
def test_it_refuses_what_the_vendor_refuses(
    provider: FakeProvider, client: anthropic.Anthropic, turns: list[Any], message: str
) -> None:
    provider.script({"text": "x", "repeat": True})
    use = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "call_1", "name": "find", "input": {}}],
    }
    result = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "1"}],
    }
    spelled = [
        {"use": use, "result": result}.get(turn, turn) if isinstance(turn, str) else turn for turn in turns
    ]
    with pytest.raises(anthropic.BadRequestError, match="invalid_request_error") as caught:
        client.messages.create(messages=spelled, **ASK)
    assert message in str(caught.value)
    assert provider.requests[0].refused is not None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"max_tokens": 128_001}, "max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"thinking": {"type": "between_tools"}}, "'between_tools' thinking is not supported on claude-haiku-5-5"),
        ({"output_config": {"effort": "max"}, "thinking": {"type": "disabled"}}, "output_config.effort: 'max' is not supported on claude-haiku-5-5"),
        ({"tool_choice": {"type": "any"}, "model": "claude-opus-5-5"}, "tool_choice forces tool use"),
        ({"extra_body": {"temperature": 0.5}}, "temperature: Extra inputs are not permitted"),
        ({"output_config": {"effort": "extreme"}}, "output_config.effort: Input should be"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "'additionalProperties' must be explicitly set to false"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "greater than or equal to 1024"),
        ({"tools": TOOLS * 2}, "Tool names must be unique"),
        ({"tools": [{"name": "find it", "input_schema": {"type": "object"}}]}, "should match pattern"),
        ({"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]}, "ttl: Input should be"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": str(n), "cache_control": {"type": "ephemeral"}} for n in range(5)]}]}, "A maximum of 4 blocks with cache_control may be provided. Found 5."),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}]}]}, "Could not process image"),
    ],
)  # fmt: skip
def test_it_refuses_settings_that_the_vendor_refuses(
    provider: FakeProvider, client: anthropic.Anthropic, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(**{**ASK, "messages": [TASK], **more})
    assert message in str(caught.value)


def test_keys_and_models_have_errors_of_their_own() -> None:
    with FakeProvider("x", settings=Settings(keys=frozenset({"sk-ant-good"}))) as provider:
        with (
            _client(provider) as client,
            pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"),
        ):
            client.messages.create(messages=[TASK], **ASK)
        with _client(provider).with_options(api_key="sk-ant-good") as client:
            with pytest.raises(anthropic.NotFoundError, match="model: claude-none"):
                client.messages.create(messages=[TASK], **{**ASK, "model": "claude-none"})
            assert client.messages.create(messages=[TASK], **ASK).content[0].type == "text"


def test_a_prompt_over_the_window_is_refused(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    long = {"role": "user", "content": "word " * 150_000}
    with pytest.raises(
        anthropic.BadRequestError, match=r"prompt is too long: 20\d{4} tokens > 200000 maximum"
    ):
        client.messages.create(
            messages=[long], **{**ASK, "model": "claude-haiku-4-5", "thinking": {"type": "disabled"}}
        )


def _turns_with_thinking(first: Any, *blocks: Any) -> list[Any]:
    return [TASK, {"role": "assistant", "content": list(blocks)}, _result(first)]


def test_thinking_comes_back_whole_unchanged_and_in_order(
    provider: FakeProvider, client: anthropic.Anthropic
) -> None:
    provider.script({**LOOK, "thinking": ["One.", "Two."]}, {"text": "Done.", "repeat": True})
    first = _streamed(client, TASK)
    one, two, text, use = (block.model_dump(exclude_none=True) for block in first.content)
    assert client.messages.create(messages=_turns_with_thinking(first, one, two, text, use), **ASK)
    for wrong in ((two, one, text, use), (one, text, use), (text, one, two, use), ({**one, "thinking": "0ne."}, two, text, use), (text, use)):  # fmt: skip
        with pytest.raises(anthropic.BadRequestError, match="thinking"):
            client.messages.create(messages=_turns_with_thinking(first, *wrong), **ASK)
    off = {**ASK, "thinking": {"type": "disabled"}}
    assert client.messages.create(messages=_turns_with_thinking(first, text, use), **off)


def test_thinking_that_is_not_shown_keeps_its_seal(
    provider: FakeProvider, client: anthropic.Anthropic
) -> None:
    provider.script(LOOK, "Done.")
    hidden: Any = {"thinking": {"type": "adaptive", "display": "omitted"}}
    first = _streamed(client, TASK, **hidden)
    assert (first.content[0].thinking, bool(first.content[0].signature)) == ("", True)
    assert _streamed(client, TASK, {"role": "assistant", "content": first.content}, _result(first), **hidden)


def test_a_prompt_is_put_into_the_cache_without_a_reply(
    provider: FakeProvider, client: anthropic.Anthropic
) -> None:
    provider.script("x")
    warm = client.messages.create(messages=[TASK], **{**ASK, "max_tokens": 0})
    assert (warm.content, warm.stop_reason, warm.usage.output_tokens) == ([], "max_tokens", 0)
    assert client.messages.create(messages=[TASK], **ASK).content[0].type == "text"


def test_tokens_are_counted_at_3_6_bytes(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.script("x")
    counted = client.messages.count_tokens(model="claude-haiku-5-5", messages=[TASK], tools=TOOLS)
    used = client.messages.create(messages=[TASK], **ASK).usage
    assert counted.input_tokens == used.input_tokens == provider.requests[1].prompt_tokens
    more = client.messages.count_tokens(
        model="claude-haiku-5-5", tools=TOOLS, messages=[{**TASK, "content": TASK["content"] + "x" * 36}]
    )
    assert more.input_tokens == counted.input_tokens + 10
