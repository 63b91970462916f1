"""Asks the clients of model providers as the gateway does, over the provider on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from stepward.domain.conversation import Exchange, ModelReply, ModelRequest, ToolResult, ToolSchema
from stepward.domain.errors import ProviderFault, ProviderUnavailable
from stepward.domain.model_cards import Capabilities
from stepward.models.gateway import client_of
from stepward.ports.models import Access, CallContext
from stepward.testing.fake_llm import FakeProvider

PLANTED_KEY = "sk-planted-0123456789abcdef"
TOOL = ToolSchema(
    name="find_order",
    description="Finds an order.",
    parameters={
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["order_id"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True)
class Vendor:
    """One way to reach models: what it speaks, which model is asked, and where the provider on loopback speaks it."""

    kind: str
    model: str
    url: Callable[[FakeProvider], str]
    capabilities: Capabilities
    endings: frozenset[str]
    thinks: bool = True
    says: Mapping[str, type[ProviderFault]] = field(default_factory=dict)
    """What a fault means here, where it means something else elsewhere."""

    def ask(self, provider: FakeProvider, request: ModelRequest, **changed: Any) -> ModelReply:
        return self.ask_at(self.url(provider), request, **changed)

    def ask_at(self, url: str, request: ModelRequest, **changed: Any) -> ModelReply:
        access = {"key": SecretStr(PLANTED_KEY), "url": url} | changed.pop("access", {})
        given: dict[str, Any] = {
            "tenant": "acme", "provider": self.kind, "vendor_model": self.model, "capabilities": self.capabilities,
        }  # fmt: skip
        call = CallContext(access=Access(**access), **(given | changed))
        return client_of(self.kind).reply(request, call)

    def request(self, **changed: Any) -> ModelRequest:
        given: dict[str, Any] = {
            "model": self.model, "prompt": "You help with orders.", "input": "Where is SO-1?", "tools": (TOOL,),
        }  # fmt: skip
        return ModelRequest.model_validate({**given, **changed})


OF_OPENAI = Capabilities(
    parallel_tools=True,
    structured_output=True,
    thinking=("adaptive", "disabled"),
    efforts=("low", "high"),
    cache_ttls=("5m",),
    cache_off=True,
)
VENDORS = (
    Vendor(
        "anthropic",
        "claude-sonnet-5-5",
        lambda provider: provider.url,
        Capabilities(
            thinking=("adaptive", "between_tools"),
            efforts=("low", "high"),
            cache_ttls=("5m", "1h"),
            structured_output=True,
        ),
        frozenset({"length", "context", "refusal", "pause"}),
    ),
    Vendor(
        "openai",
        "gpt-6-luna",
        lambda provider: provider.openai_url,
        OF_OPENAI,
        frozenset({"length", "refusal", "content_filter"}),
    ),
    Vendor(
        "openai-chat",
        "gpt-6-luna",
        lambda provider: provider.openai_url,
        OF_OPENAI,
        frozenset({"length", "refusal", "content_filter"}),
        thinks=False,
    ),
    Vendor(
        "bedrock",
        "global.anthropic.claude-sonnet-5-5",
        lambda provider: provider.url,
        Capabilities(
            thinking=("adaptive", "between_tools"),
            efforts=("low", "high"),
            cache_ttls=("5m", "1h"),
            structured_output=True,
        ),
        frozenset({"length", "context", "content_filter"}),
        # AWS does not tell a model that is overloaded from one that is away.
        says={"529": ProviderUnavailable},
    ),
)


def answered(reply: ModelReply, *contents: Any, error: str | None = None) -> Exchange:
    """The turn in which these calls gave this."""
    results = (
        ToolResult(call=call.id, tool=call.tool, content=content, error=error)
        for call, content in zip(reply.calls, contents, strict=True)
    )
    return Exchange(reply=reply, results=tuple(results))
