"""The loopback provider speaks Bedrock's Converse API: held to it by boto3, whose parser checks every frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

from stepward.testing.fake_llm import FakeProvider, Settings

MODEL = "global.anthropic.claude-haiku-5-5"
TOOLS: Any = {"tools": [{"toolSpec": {"name": "find", "inputSchema": {"json": {"type": "object"}}}}]}
TASK: Any = {"role": "user", "content": [{"text": "Where is SO-1?"}]}
ASK: Any = {"modelId": MODEL, "toolConfig": TOOLS, "messages": [TASK]}
LOOK: Any = {"thinking": ["An order.", "Look."], "text": "Let me look.", "calls": [{"tool": "find", "arguments": {"key": "SO-1", "ü": [1, None]}}]}  # fmt: skip


def _client(provider: FakeProvider, key: str = "AKIAPLANTED") -> Any:
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=provider.url,
        aws_access_key_id=key,
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[Any]:
    provider.script({"text": "Done.", "repeat": True})
    with closing(_client(provider)) as made:
        yield made


def _streamed(client: Any, **more: Any) -> dict[str, Any]:
    """Put a stream together: the blocks by their index, the stop, the usage."""
    blocks: dict[int, list[Any]] = {}
    seen: dict[str, Any] = {}
    with closing(client.converse_stream(**{**ASK, **more})["stream"]) as stream:
        for event in stream:
            ((name, body),) = event.items()
            if name == "contentBlockDelta":
                blocks.setdefault(body["contentBlockIndex"], []).append(body["delta"])
            seen[name] = body
    return {**seen, "blocks": [blocks[index] for index in sorted(blocks)]}


def _result(use: Any, content: Any = None) -> Any:
    return {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": use["toolUseId"], "content": content or [{"text": "[]"}]}}],
    }


def test_a_stream_and_a_whole_reply_say_the_same(provider: FakeProvider, client: Any) -> None:
    provider.script(LOOK, LOOK)
    whole, streamed = client.converse(**ASK), _streamed(client)
    one, two, text, use = whole["output"]["message"]["content"]
    assert [b["reasoningContent"]["reasoningText"]["text"] for b in (one, two)] == LOOK["thinking"]
    assert (text["text"], use["toolUse"]["input"]) == ("Let me look.", LOOK["calls"][0]["arguments"])
    thought, _, words, call = streamed["blocks"]
    assert "".join(d["reasoningContent"].get("text", "") for d in thought) == "An order."
    assert thought[-1]["reasoningContent"]["signature"]
    assert "".join(d["text"] for d in words) == "Let me look."
    assert len(call) > 2
    assert (whole["stopReason"], streamed["messageStop"]["stopReason"]) == ("tool_use", "tool_use")
    assert whole["usage"] == streamed["metadata"]["usage"]
    assert whole["ResponseMetadata"]["RequestId"] == provider.requests[0].request_id


def test_a_conversation_goes_on_with_its_reasoning(provider: FakeProvider, client: Any) -> None:
    provider.script(LOOK, {"text": "On its way.", "repeat": True})
    said = client.converse(**ASK)["output"]["message"]
    one, two, text, use = said["content"]
    result = _result(use["toolUse"])
    assert client.converse(**{**ASK, "messages": [TASK, said, result]})["output"]["message"]["content"] == [{"text": "On its way."}]  # fmt: skip
    for wrong in ([two, one, text, use], [one, text, use], [text, use]):
        with pytest.raises(ClientError, match="thinking"):
            client.converse(**{**ASK, "messages": [TASK, {**said, "content": wrong}, result]})
    off = {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}
    assert client.converse(**{**ASK, "messages": [TASK, {**said, "content": [text, use]}, result], **off})


USE: Any = {"toolUse": {"toolUseId": "call_1_1", "name": "find", "input": {}}}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"messages": []}, "must start with a user message"),
        ({"messages": [TASK, TASK]}, "must alternate between user and assistant roles"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0 is empty"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "is blank"),
        ({"messages": [TASK, {"role": "assistant", "content": [{"text": "Half"}]}]}, "does not support assistant message prefill"),
        ({"messages": [TASK, {"role": "assistant", "content": [USE]}, TASK]}, "Expected toolResult blocks at messages.2.content for the following Ids: call_1_1"),
        ({"messages": [TASK, {"role": "assistant", "content": [USE]}]}, "Expected toolResult blocks at messages.2.content"),
        ({"messages": [_result({"toolUseId": "x"})]}, "exceeds the number of toolUse blocks of previous turn"),
        ({"messages": [TASK, {"role": "assistant", "content": [USE]}, _result(USE["toolUse"])], "toolConfig": None}, "toolConfig field must be defined"),
        ({"inferenceConfig": {"maxTokens": 128_001}}, "exceeds the model limit of 128000"),
        ({"inferenceConfig": {"temperature": 0.5}}, "doesn't support the temperature field"),
        ({"outputConfig": {"effort": "max"}}, "output_config.effort"),
        ({"modelId": "anthropic.claude-haiku-5-5"}, "with on-demand throughput"),
        ({"modelId": "global.anthropic.claude-none"}, "The provided model identifier is invalid."),
        ({"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": b"hello"}}}]}]}, "Could not process image"),
        ({"messages": [{"role": "user", "content": [{"text": "word " * 800_000}]}]}, "Input is too long for requested model."),
        ({"system": [{"text": "x"}, *[{"text": "y"}, {"cachePoint": {"type": "default"}}] * 5]}, "up to 4 cachePoint blocks"),
    ],
)  # fmt: skip
def test_it_refuses_what_the_vendor_refuses(client: Any, more: dict[str, Any], message: str) -> None:
    asked = {name: value for name, value in {**ASK, **more}.items() if value is not None}
    with pytest.raises(ClientError) as caught:
        client.converse(**asked)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in str(caught.value)


def test_a_signer_that_is_not_known_is_refused() -> None:
    with FakeProvider("x", settings=Settings(keys=frozenset({"AKIAGOOD"}))) as provider:
        with closing(_client(provider)) as bad, pytest.raises(ClientError, match="security token included"):
            bad.converse(**ASK)
        with closing(_client(provider, "AKIAGOOD")) as good:
            assert good.converse(**ASK)["stopReason"] == "end_turn"
        assert "AKIA" not in repr(provider.requests)


def test_tokens_are_counted(provider: FakeProvider, client: Any) -> None:
    asked = {"messages": [TASK], "toolConfig": TOOLS}
    counted = client.count_tokens(modelId=MODEL, input={"converse": asked})["inputTokens"]
    assert counted == client.converse(**ASK)["usage"]["inputTokens"] == provider.requests[1].prompt_tokens


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [("429", "ThrottlingException", 429), ("500", "InternalServerException", 500), ("503", "ServiceUnavailableException", 503), ("403", "AccessDeniedException", 403), ("401", "UnrecognizedClientException", 403), ("408", "ModelTimeoutException", 408)],
)  # fmt: skip
def test_faults_have_the_vendors_words(
    provider: FakeProvider, client: Any, name: str, code: str, status: int
) -> None:
    provider.fault(name, times=2)
    for ask in (client.converse, client.converse_stream):
        with pytest.raises(ClientError) as caught:
            ask(**ASK)
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_what_goes_wrong_in_a_stream(provider: FakeProvider, client: Any) -> None:
    provider.fault("stream_error")
    with pytest.raises(EventStreamError, match="serviceUnavailableException"):
        _streamed(client)
    provider.fault("cut")
    with pytest.raises(ProtocolError, match="ended prematurely"):
        _streamed(client)
    provider.fault("malformed_json")
    with pytest.raises(
        KeyError, match="contentBlockIndex"
    ):  # boto3 makes an empty event of what it cannot read
        _streamed(client)


@pytest.mark.parametrize(
    ("name", "stop"),
    [("refusal", "content_filtered"), ("content_filter", "guardrail_intervened"), ("length", "max_tokens"), ("context", "model_context_window_exceeded")],
)  # fmt: skip
def test_a_reply_ends_otherwise(provider: FakeProvider, client: Any, name: str, stop: str) -> None:
    provider.script({**LOOK, "repeat": True})
    provider.fault(name, times=2)
    assert client.converse(**ASK)["stopReason"] == stop
    assert _streamed(client)["messageStop"]["stopReason"] == stop
