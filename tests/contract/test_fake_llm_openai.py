"""The loopback provider speaks OpenAI's APIs: held to them by the vendor's own SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from stepward.testing.fake_llm import FakeProvider, ModelLimits, Settings

KEY = "sk-proj-planted-0123456789-wxyz"
SCHEMA: Any = {"type": "object", "properties": {"key": {"type": "string"}}}
TOOLS: Any = [{"type": "function", "name": "find", "parameters": SCHEMA, "strict": False}]
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "find", "parameters": SCHEMA}}]
ASK: Any = {"model": "gpt-6-luna", "tools": TOOLS, "store": False}
CHAT: Any = {"model": "gpt-6-luna", "tools": CHAT_TOOLS}
TASK: Any = {"role": "user", "content": "Where is SO-1?"}
LOOK: Any = {"thinking": ["An order.", "Look."], "text": "Let me look.", "calls": [{"tool": "find", "arguments": {"key": "SO-1", "ü": [1, None]}}]}  # fmt: skip
CALL: Any = {"type": "function_call", "call_id": "call_1_1", "name": "find", "arguments": "{}"}
OUTPUT: Any = {"type": "function_call_output", "call_id": "call_1_1", "output": "1"}


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[openai.OpenAI]:
    provider.script({"text": "Done.", "repeat": True})
    with openai.OpenAI(base_url=provider.openai_url, api_key=KEY, max_retries=0, timeout=20) as made:
        yield made


def _streamed(client: openai.OpenAI, *items: Any, **more: Any) -> Any:
    with client.responses.stream(**{**ASK, "input": [*items], **more}) as stream:
        return stream.get_final_response()


def _back(response: Any) -> list[Any]:
    return [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]


def test_a_stream_and_a_whole_response_say_the_same(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.script(LOOK, LOOK)
    streamed, whole = _streamed(client, TASK), client.responses.create(input=[TASK], **ASK)
    for response in (streamed, whole):
        first, second, message, call = response.output
        assert [item.summary[0].text for item in (first, second)] == LOOK["thinking"]
        assert all(item.encrypted_content for item in (first, second))
        assert (response.output_text, message.status) == ("Let me look.", "completed")
        assert (call.name, json.loads(call.arguments)) == ("find", LOOK["calls"][0]["arguments"])
        assert response.status == "completed"
    assert streamed.usage.model_dump() == whole.usage.model_dump()
    assert whole._request_id == provider.requests[1].request_id


def test_a_stream_is_numbered_and_adds_before_it_fills(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.script(LOOK)
    events = list(client.responses.create(input=[TASK], stream=True, **ASK))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    names = [event.type for event in events]
    assert names[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert names.index("response.content_part.added") < names.index("response.output_text.delta")
    assert names[-1] == "response.completed"
    assert names.count("response.output_item.added") == names.count("response.output_item.done") == 4


def test_a_conversation_goes_on_with_its_items(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.script(LOOK, "It is on its way.")
    first = _streamed(client, TASK)
    output = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "[]"}
    assert _streamed(client, TASK, *_back(first), output).output_text == "It is on its way."


def test_reasoning_comes_back_whole_unchanged_and_in_order(
    provider: FakeProvider, client: openai.OpenAI
) -> None:
    provider.script(LOOK, {"text": "Done.", "repeat": True})
    first = _streamed(client, TASK)
    one, two, message, call = _back(first)
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "[]"}
    renamed = {**call, "call_id": "call_1_1"}
    del renamed["id"]
    assert _streamed(client, TASK, one, two, message, renamed, {**output, "call_id": "call_1_1"})
    sealed = one["encrypted_content"]
    altered = {**one, "encrypted_content": f"{sealed[:20]}{'A' if sealed[20] != 'A' else 'B'}{sealed[21:]}"}
    for items, told in (
        ([two, one, message, call], "without its required following item"),
        ([one, message, call], "without its required following item"),
        ([altered, two, message, call], "could not be verified"),
        ([message, call], "without its required 'reasoning' item"),
        ([{**one, "encrypted_content": None}, two, message, call], "not found"),
    ):
        with pytest.raises(openai.APIStatusError, match=told):
            _streamed(client, TASK, *items, output)
    assert _streamed(client, TASK, message, call, output, reasoning={"effort": "none"})


@pytest.mark.parametrize(
    ("more", "message", "param"),
    [
        ({"input": []}, "must be provided", "input"),
        ({"input": [TASK, CALL]}, "No tool output found for function call call_1_1.", "input"),
        ({"input": [TASK, OUTPUT]}, "No tool call found for function call output with call_id call_1_1.", "input"),
        ({"input": [TASK, CALL, OUTPUT, CALL, OUTPUT]}, "Duplicate item found", "input"),
        ({"input": [TASK, {**CALL, "id": "call_1_1"}, OUTPUT]}, "Expected an ID that begins with 'fc'", "input[1].id"),
        ({"input": [TASK, {**CALL, "arguments": {}}, OUTPUT]}, "expected a string", "input[1].arguments"),
        ({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "Invalid value: 'text'", "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,aGk="}]}]}, "does not represent a valid image", "input[0].content[0].image_url"),
        ({"max_output_tokens": 8}, "Expected a value >= 16, but got 8 instead", "max_output_tokens"),
        ({"max_output_tokens": 200_000}, "at most 128000", "max_output_tokens"),
        ({"temperature": 0.2}, "'temperature' is not supported with this model", "temperature"),
        ({"reasoning": {"effort": "minimal"}}, "Supported values are: 'none', 'low'", "reasoning.effort"),
        ({"tools": [{**TOOLS[0], "strict": True}]}, "'additionalProperties' is required to be supplied and to be false", "tools[0].parameters"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": {**SCHEMA, "additionalProperties": False}}}}, "Missing 'key'", "text.format.schema"),
        ({"previous_response_id": "resp_1"}, "not found", "previous_response_id"),
        ({"extra_body": {"max_tokens": 1}}, "Unknown parameter: 'max_tokens'.", "max_tokens"),
        ({"input": "word " * 800_000}, "exceeds the context window", "input"),
    ],
)  # fmt: skip
def test_it_refuses_what_the_vendor_refuses(
    client: openai.OpenAI, more: dict[str, Any], message: str, param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{**ASK, "input": [TASK], **more})
    assert message in str(caught.value)
    assert caught.value.param == param


def test_a_model_that_is_not_there_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(**{**ASK, "input": "x", "model": "gpt-none"})
    assert caught.value.code == "model_not_found"


def test_a_wrong_key_is_shown_in_part_as_the_vendor_does() -> None:
    with (
        FakeProvider(settings=Settings(keys=frozenset({"sk-good"}))) as provider,
        openai.OpenAI(base_url=provider.openai_url, api_key=KEY, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match="Incorrect API key provided: sk-proj") as caught,
    ):
        client.responses.create(**ASK, input="x")
    assert caught.value.code == "invalid_api_key"
    assert KEY[-4:] in str(caught.value)
    assert "planted" not in str(caught.value)


def test_chat_says_the_same_in_a_stream_and_whole(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.script(LOOK, LOOK, "On its way.")
    with client.chat.completions.stream(
        messages=[TASK], stream_options={"include_usage": True}, **CHAT
    ) as stream:
        streamed = stream.get_final_completion()
    whole = client.chat.completions.create(messages=[TASK], **CHAT)
    for completion in (streamed, whole):
        (choice,) = completion.choices
        (call,) = choice.message.tool_calls  # type: ignore[union-attr]
        assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Let me look.")
        assert json.loads(call.function.arguments) == LOOK["calls"][0]["arguments"]  # type: ignore[union-attr]
    assert streamed.usage == whole.usage
    assert whole.usage.completion_tokens_details.reasoning_tokens > 0  # type: ignore[union-attr, operator]
    told: Any = {"role": "tool", "tool_call_id": call.id, "content": "[]"}
    last = client.chat.completions.create(messages=[TASK, whole.choices[0].message, told], **CHAT)  # type: ignore[list-item]
    assert last.choices[0].message.content == "On its way."


def test_a_chat_stream_counts_tokens_only_when_asked(provider: FakeProvider, client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(messages=[TASK], stream=True, **CHAT))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert provider.wait_until(lambda requests: requests[0].done, 60)
    assert not provider.requests[0].disconnected


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"messages": []}, "Expected an array with minimum length 1"),
        ({"messages": [TASK, {"role": "assistant", "content": None}]}, "expected a string, got null"),
        ({"messages": [TASK, {"role": "tool", "tool_call_id": "x", "content": "1"}]}, "must be a response to a preceeding message"),
        ({"messages": [TASK, {"role": "assistant", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "find", "arguments": "{}"}}]}, TASK]}, "did not have response messages: x"),
        ({"max_tokens": 100}, "Use 'max_completion_tokens' instead"),
        ({"max_completion_tokens": 0}, "Expected a value >= 1"),
    ],
)  # fmt: skip
def test_chat_refuses_what_the_vendor_refuses(
    client: openai.OpenAI, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{**CHAT, "messages": [TASK], **more})
    assert message in str(caught.value)


def test_a_compatible_server_has_models_of_its_own() -> None:
    settings = Settings(models={"llama-3": ModelLimits(context_tokens=100, max_output_tokens=10)})
    with (
        FakeProvider({"text": "word " * 40, "repeat": True}, settings=settings) as provider,
        openai.OpenAI(base_url=provider.openai_url, api_key="any", max_retries=0) as client,
    ):
        assert "llama-3" in [model.id for model in client.models.list()]
        cut = client.chat.completions.create(model="llama-3", messages=[TASK], max_tokens=10, temperature=0.3)
        assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 10)  # type: ignore[union-attr]
        with pytest.raises(openai.BadRequestError, match="context window"):
            client.chat.completions.create(model="llama-3", messages=[{**TASK, "content": "word " * 100}])


def test_texts_that_share_words_are_near(client: openai.OpenAI) -> None:
    texts = ["refund for a broken lamp", "a refund for the broken lamp", "weather in Paris tomorrow"]
    found = client.embeddings.create(model="text-embedding-3-small", input=texts)
    one, two, other = (item.embedding for item in found.data)
    assert len(one) == 1_536
    near, far = (sum(a * b for a, b in zip(one, vector, strict=True)) for vector in (two, other))
    assert near > 0.7
    assert far < 0.3
    assert found.usage.prompt_tokens > 0
    short = client.embeddings.create(model="text-embedding-3-large", input="x", dimensions=64)
    assert len(short.data[0].embedding) == 64
    for wrong in ({"input": ""}, {"input": ["x"], "dimensions": 5_000}, {"input": "word " * 9_000}):
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(**{"model": "text-embedding-3-small", **wrong})  # type: ignore[arg-type]


def test_tokens_are_counted_without_a_reply(provider: FakeProvider, client: openai.OpenAI) -> None:
    counted = client.responses.input_tokens.count(model="gpt-6-luna", input="Where is SO-1?", tools=TOOLS)
    used = client.responses.create(input="Where is SO-1?", **ASK).usage
    assert used
    assert counted.input_tokens == used.input_tokens == provider.requests[1].prompt_tokens


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("429", 429, "rate_limit_exceeded"), ("quota", 429, "insufficient_quota"), ("500", 500, "server_error"), ("503", 503, "server_error"), ("529", 503, "server_is_overloaded"), ("401", 401, "invalid_api_key"), ("408", 408, None)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["responses", "chat", "embeddings"])
def test_faults_have_the_vendors_words(
    provider: FakeProvider, client: openai.OpenAI, kind: str, name: str, status: int, code: str | None
) -> None:
    provider.fault(name)
    with pytest.raises(openai.APIStatusError) as caught:
        if kind == "responses":
            client.responses.create(input="x", **ASK)
        elif kind == "chat":
            client.chat.completions.create(messages=[TASK], **CHAT)
        else:
            client.embeddings.create(model="text-embedding-3-small", input="x")
    assert (caught.value.status_code, caught.value.code) == (status, code)


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [("length", "incomplete", "max_output_tokens"), ("content_filter", "incomplete", "content_filter"), ("refusal", "completed", None), ("empty", "completed", None)],
)  # fmt: skip
def test_a_response_ends_otherwise(
    provider: FakeProvider, client: openai.OpenAI, name: str, status: str, reason: str | None
) -> None:
    provider.script({**LOOK, "thinking": [], "repeat": True})
    provider.fault(name, times=2)
    whole = client.responses.create(input=[TASK], **ASK)
    last = list(client.responses.create(input=[TASK], stream=True, **ASK))[-1]
    for response in (whole, last.response):  # type: ignore[union-attr]
        assert response.status == status
        assert (response.incomplete_details.reason if response.incomplete_details else None) == reason
    assert last.type == f"response.{status}"
    refused = [part for item in whole.output if item.type == "message" for part in item.content if part.type == "refusal"]  # fmt: skip
    assert bool(refused) == (name == "refusal")
    if name == "length":
        call = whole.output[-1]
        assert call.type == "function_call"
        assert call.status == "incomplete"
        with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
            json.loads(call.arguments)


def test_an_error_comes_in_the_stream(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.fault("stream_error", times=2)
    last = list(client.responses.create(input=[TASK], stream=True, **ASK))[-1]
    assert (last.type, last.code) == ("error", "server_is_overloaded")  # type: ignore[union-attr]
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(client.chat.completions.create(messages=[TASK], stream=True, **CHAT))


def test_a_cut_stream_is_no_end(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.fault("cut", times=2)
    for ask in (
        lambda: client.responses.create(input=[TASK], stream=True, **ASK),
        lambda: client.chat.completions.create(messages=[TASK], stream=True, **CHAT),
    ):
        with pytest.raises(openai.APIConnectionError):
            list(ask())  # type: ignore[call-overload]


def test_a_pause_is_not_of_this_protocol(provider: FakeProvider, client: openai.OpenAI) -> None:
    provider.fault("pause")
    with pytest.raises(openai.BadRequestError, match="Anthropic's protocol alone"):
        client.responses.create(input=[TASK], **ASK)
