"""What is asked of models on Bedrock, and how."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from stepward.adapters.aws.bedrock_protocol import maker_of, request_body
from stepward.domain.conversation import Exchange, ModelReply, OpaquePart, TextPart, ToolCall, ToolResult
from stepward.ports.models import CallContext
from tests.support.model_clients import TOOL, VENDORS

BEDROCK = next(vendor for vendor in VENDORS if vendor.kind == "bedrock")
CLAUDE = "global.anthropic.claude-sonnet-5-5"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def _call(model: str = CLAUDE, **can: Any) -> CallContext:
    capabilities = BEDROCK.capabilities.model_copy(update=can)
    return CallContext(provider="bedrock", vendor_model=model, capabilities=capabilities)


def _body(call: CallContext | None = None, **changed: Any) -> dict[str, Any]:
    return request_body(BEDROCK.request(**changed), call or _call())


def _thinking(data: dict[str, Any]) -> Exchange:
    parts = (OpaquePart(vendor="bedrock", data=data), TextPart(chars=2))
    return Exchange(reply=ModelReply(text="Hm", parts=parts), note="Go on.")


def test_what_the_card_allows_is_asked_for_and_nothing_else() -> None:
    asked = {"effort": "high", "thinking": True, "temperature": 0.5, "cache": "1h"}
    body = _body(options=asked, output_schema=SCHEMA)
    assert body["outputConfig"]["effort"] == "high"
    schema = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert json.loads(schema) == {**SCHEMA, "additionalProperties": False}
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert body["inferenceConfig"] == {"maxTokens": 1024}
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert body["system"][-1] == body["messages"][-1]["content"][-1] == point
    plain = _call(structured_output=False, cache_ttls=(), temperature="always")
    body = _body(plain, options={"temperature": 0.5}, output_schema=SCHEMA)
    assert "outputConfig" not in body
    assert body["inferenceConfig"] == {"maxTokens": 1024, "temperature": 0.5}
    assert body["system"] == [{"text": "You help with orders."}]


@pytest.mark.parametrize(
    ("kinds", "wanted", "said"),
    [
        (("adaptive", "disabled"), False, {"type": "disabled"}),
        (("adaptive", "between_tools"), False, {"type": "between_tools"}),
        (("enabled", "disabled"), True, {"type": "enabled", "budget_tokens": 4_000}),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(
    kinds: tuple[str, ...], wanted: bool, said: dict[str, Any]
) -> None:
    body = _body(_call(thinking=kinds), options={"thinking": wanted}, max_output_tokens=8_000)
    assert body["additionalModelRequestFields"]["thinking"] == said


def test_a_history_with_calls_has_its_tools_even_where_none_are_offered() -> None:
    call = ToolCall(id="call_1_1", tool="find_order", arguments={})
    gone = ToolResult(call="call_1_1", tool="find_order", content="", error="ToolFailed")
    history = (Exchange(reply=ModelReply(calls=(call,)), results=(gone,)),)
    body = _body(history=history, tools=())
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["find_order"]
    result = body["messages"][-1]["content"][0]["toolResult"]
    assert (result["content"], result["status"]) == ([{"text": '""'}], "error")
    others = _body(_call("us.meta.llama4-maverick-17b-instruct-v1:0"), history=history)
    assert "status" not in others["messages"][-1]["content"][0]["toolResult"]


def test_a_tool_and_an_agent_may_be_without_words() -> None:
    body = _body(prompt=" ", tools=(TOOL.model_copy(update={"description": ""}),))
    assert "system" not in body
    assert "description" not in body["toolConfig"]["tools"][0]["toolSpec"]


@pytest.mark.parametrize(
    ("model", "made_by"),
    [
        (CLAUDE, "anthropic"),
        ("amazon.nova-2-lite-v1:0", "amazon"),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-haiku-5-5", "anthropic"),
        ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/a1b2", "a1b2"),
    ],
)
def test_a_models_maker_is_read_from_its_id(model: str, made_by: str) -> None:
    assert maker_of(model) == made_by


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"text": "Hm.", "signature": "s"}, {"reasoningText": {"text": "Hm.", "signature": "s"}}),
        ({"signature": "s"}, {"reasoningText": {"text": "", "signature": "s"}}),
        ({"redacted": b64encode(b"\x00\xff").decode()}, {"redactedContent": b"\x00\xff"}),
        ({"text": "Hm."}, None),
        ({"text": "Hm.", "signature": "s", "maker": "amazon"}, None),
    ],
    ids=["signed", "hidden", "redacted", "unsigned", "another maker's"],
)
def test_thoughts_go_back_to_whoever_can_read_them(data: dict[str, Any], sent: dict[str, Any] | None) -> None:
    history = (_thinking({"maker": "anthropic", **data}),)
    content = _body(history=history)["messages"][1]["content"]
    assert [block.get("reasoningContent") for block in content] == ([sent, None] if sent else [None])
