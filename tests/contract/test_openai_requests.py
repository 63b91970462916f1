"""What is asked of OpenAI's Responses API: each option as far as the model takes it, by the real SDK over loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.conversation import (
    Exchange,
    ModelOptions,
    ModelReply,
    ModelRequest,
    OpaquePart,
    TextPart,
    ToolSchema,
)
from stepward.domain.errors import ContextTooLong
from stepward.domain.model_cards import Capabilities
from stepward.models import streams
from stepward.testing.fake_llm import FakeProvider
from tests.support.model_clients import VENDORS
from tests.support.raw_server import raw_server

pytestmark = pytest.mark.enable_socket
OPENAI = next(vendor for vendor in VENDORS if vendor.kind == "openai")
LUNA = OPENAI.capabilities
DONE = {
    "type": "response.completed",
    "response": {"id": "resp_1", "object": "response", "status": "completed", "output": [], "usage": None},
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


def _sent(provider: FakeProvider, request: ModelRequest, **changed: Any) -> dict[str, Any]:
    """The body of the request that asks this."""
    provider.script("Done.")
    OPENAI.ask(provider, request, **changed)
    body: dict[str, Any] = provider.requests[-1].body
    return body


def test_of_anothers_reasoning_nothing_is_sent(provider: FakeProvider) -> None:
    parts = (OpaquePart(vendor="anthropic", data={"type": "thinking"}), TextPart(chars=3))
    history = (Exchange(reply=ModelReply(text="Hi.", parts=parts), note="Go on."),)
    assert _sent(provider, OPENAI.request(history=history))["input"][1:] == [
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "Go on."},
    ]


def test_options_go_out_only_as_far_as_the_model_takes_them(provider: FakeProvider) -> None:
    plain = _sent(provider, OPENAI.request(), capabilities=Capabilities())
    assert plain.keys() == {
        "model", "instructions", "input", "max_output_tokens", "store", "tools", "stream",
    }  # fmt: skip
    assert plain["tools"][0]["strict"] is False
    asked = ModelOptions(temperature=0.5, effort="high", thinking=True, cache="1h")
    full = _sent(provider, OPENAI.request(options=asked))
    assert (full["store"], full["include"]) == (False, ["reasoning.encrypted_content"])
    assert full["reasoning"] == {"effort": "high", "summary": "auto"}
    assert full["parallel_tool_calls"] is True
    assert "temperature" not in full
    assert "prompt_cache_options" not in full


@pytest.mark.parametrize(
    ("options", "reasoning"),
    [
        ({}, None),
        ({"effort": "low"}, {"effort": "low"}),
        ({"effort": "max"}, None),
        ({"thinking": True}, {"effort": "medium", "summary": "auto"}),
        ({"thinking": False, "effort": "high"}, {"effort": "none"}),
    ],
)
def test_thinking_is_turned_on_and_off_by_effort(
    options: dict[str, Any], reasoning: dict[str, str] | None
) -> None:
    with raw_server(DONE) as server:
        OPENAI.ask_at(server.url, OPENAI.request(options=options))
    assert server.bodies[0].get("reasoning") == reasoning


def test_a_temperature_is_sent_where_the_model_takes_it(provider: FakeProvider) -> None:
    luna = LUNA.model_copy(update={"temperature": "without_thinking"})
    options = ModelOptions(temperature=0.0, thinking=False)
    assert _sent(provider, OPENAI.request(options=options), capabilities=luna)["temperature"] == 0.0
    always = Capabilities(temperature="always")
    with raw_server(DONE) as server:
        OPENAI.ask_at(server.url, OPENAI.request(options={"temperature": 1.5}), capabilities=always)
    assert server.bodies[0]["temperature"] == 1.5


def test_the_cache_is_kept_apart_by_tenant_and_can_be_turned_off(provider: FakeProvider) -> None:
    first = _sent(provider, OPENAI.request())["prompt_cache_key"]
    assert _sent(provider, OPENAI.request(input="Another."))["prompt_cache_key"] == first
    assert _sent(provider, OPENAI.request(), tenant="other")["prompt_cache_key"] != first
    assert _sent(provider, OPENAI.request(prompt="Else."))["prompt_cache_key"] != first
    off = _sent(provider, OPENAI.request(options=ModelOptions(cache="off")))
    assert off["prompt_cache_options"] == {"mode": "explicit"}
    long = LUNA.model_copy(update={"cache_ttls": ("5m", "1h")})
    hour = _sent(provider, OPENAI.request(options=ModelOptions(cache="1h")), capabilities=long)
    assert hour["prompt_cache_options"] == {"ttl": "12h"}


def test_a_prompt_that_is_not_to_be_cached_is_not(provider: FakeProvider) -> None:
    provider.script("One.", "Two.")
    request = OPENAI.request(prompt="Help. " * 4_000, options=ModelOptions(cache="off"))
    for _ in range(2):
        usage = OPENAI.ask(provider, request).usage
        assert (usage.cache_read_tokens, usage.cache_write_tokens) == (0, 0)


def test_an_answer_is_held_to_its_schema(provider: FakeProvider) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert _sent(provider, OPENAI.request(output_schema=schema))["text"]["format"] == {
        "type": "json_schema",
        "name": "answer",
        "schema": {**schema, "additionalProperties": False},
        "strict": True,
    }
    optional = {**schema, "required": []}
    assert _sent(provider, OPENAI.request(output_schema=optional))["text"]["format"]["strict"] is False


def test_a_tool_is_strict_only_where_its_schema_allows_it(provider: FakeProvider) -> None:
    shape = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    tools = (
        ToolSchema(name="closed", description="", parameters={**shape, "additionalProperties": False}),
        ToolSchema(name="open", description="", parameters=shape),
    )
    sent = _sent(provider, OPENAI.request(tools=tools))["tools"]
    assert [(tool["name"], tool["strict"], tool["parameters"]) for tool in sent] == [
        ("closed", True, tools[0].parameters),
        ("open", False, shape),
    ]


def test_a_context_that_is_too_long_is_named(provider: FakeProvider) -> None:
    provider.script("Never.")
    with pytest.raises(ContextTooLong):
        OPENAI.ask(provider, OPENAI.request(input="word " * 900_000))


@pytest.mark.parametrize("module", ["anthropic", "openai_responses", "openai_chat"])
def test_to_import_a_client_loads_no_sdk(module: str) -> None:
    probe = f"import sys, stepward.models.{module}; print(sorted({{'anthropic', 'openai', 'httpx2'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
