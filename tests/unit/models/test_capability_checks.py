"""What a model cannot be asked for is refused with its field and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.model_cards import Capabilities, ModelCard
from stepward.domain.money import Price
from stepward.models.capability_checks import Wanted, refusals
from stepward.models.cards import card_of

OURS = Price(input_usd_per_mtok=1, output_usd_per_mtok=2, source="ours", as_of="2026-11-01")


def found(model: str, **wanted: Any) -> list[tuple[str, str, str]]:
    card = card_of(model, {"our-vllm/llama": OURS, "nobodys": OURS})
    assert card is not None
    return [(one.field or "", one.detail, one.fix or "") for one in refusals(model, card, Wanted(**wanted))]


@pytest.mark.parametrize(
    ("model", "wanted", "field", "fix"),
    [
        ("balanced", {"temperature": 0.2}, "temperature", "remove it"),
        ("gpt-6.1-sol", {"temperature": 0.2}, "temperature", "remove it"),
        ("gpt-6-luna", {"temperature": 0.2}, "temperature", "thinking: false"),
        ("claude-haiku-4-5", {"effort": "low"}, "effort", "remove it"),
        ("gpt-5", {"effort": "xhigh"}, "effort", "low, medium, high"),
        ("claude-haiku-5-5", {"effort": "max", "thinking": False}, "effort", "let it think"),
        ("deep", {"thinking": False}, "thinking", "low `effort`"),
        ("gpt-6-astra", {"thinking": False}, "thinking", "low `effort`"),
        ("gpt-4o", {"thinking": True}, "thinking", "another model"),
        (
            "claude-haiku-4-5",
            {"thinking": True, "max_output_tokens": 1_024},
            "limits.max_output_tokens",
            "2048",
        ),
        ("bedrock/claude-opus-5-5", {"output_schema": True}, "output_schema", "GET /models"),
        ("gpt-6-luna", {"cache": "1h"}, "cache", "use 5m, or `off`"),
        ("our-vllm/llama", {"cache": "5m"}, "cache", "use `off`"),
        ("our-vllm/llama", {"output_schema": True}, "output_schema", "another model"),
        ("our-vllm/llama", {"thinking": False}, "thinking", "remove it"),
        ("our-vllm/llama", {"effort": "low"}, "effort", "remove it"),
        ("gpt-4o", {"max_output_tokens": 16_385}, "limits.max_output_tokens", "use at most 16384"),
        ("balanced", {"backend": "openai"}, "llm_backend", "remove it"),
        ("nobodys", {"backend": "openai"}, "llm_backend", "remove it"),
        ("text-embedding-3-small", {}, "model", "GET /models"),
        ("text-embedding-3-small", {"tools": True}, "tools", "remove the tools"),
    ],
)
def test_what_a_model_lacks_is_refused(model: str, wanted: dict[str, Any], field: str, fix: str) -> None:
    said = {told: (detail, mend) for told, detail, mend in found(model, **wanted)}
    assert field in said
    detail, mend = said[field]
    assert repr(model) in detail
    assert fix in mend


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (
            "balanced",
            {"thinking": False, "effort": "high", "cache": "1h", "output_schema": True, "tools": True},
        ),
        ("deep", {"thinking": True, "effort": "max", "max_output_tokens": 128_000, "backend": "anthropic"}),
        ("gpt-6-luna", {"thinking": False, "temperature": 0.0, "cache": "5m", "backend": "openai"}),
        ("gpt-4o", {"temperature": 2.0, "thinking": False, "max_output_tokens": 16_384}),
        ("claude-haiku-4-5", {"thinking": True, "max_output_tokens": 2_048}),
        ("our-vllm/llama", {"temperature": 0.7, "tools": True, "backend": "our-vllm"}),
        ("balanced", {"backend": "scripted"}),
    ],
)
def test_what_a_model_has_is_not(model: str, wanted: dict[str, Any]) -> None:
    assert found(model, **wanted) == []


def test_every_fault_is_told() -> None:
    told = [field for field, _, _ in found("our-vllm/llama", effort="low", thinking=True, output_schema=True)]
    assert told == ["output_schema", "effort", "thinking"]


def test_a_model_without_tools_is_not_given_any() -> None:
    card = ModelCard(
        id="m",
        provider="p",
        vendor_id="m",
        source="s",
        as_of="2026-11-01",
        capabilities=Capabilities(tools=False),
    )
    assert [one.field for one in refusals("m", card, Wanted(tools=True))] == ["tools"]
