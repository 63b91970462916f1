"""What is reserved for a call of a real model: never less than the call can cost."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.provider_limits import SharedLimits
from stepward.agents.call_limits import CallLimits
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelReply
from stepward.domain.money import Usage
from stepward.models.gateway import Providers
from stepward.ports.providers import with_built_in
from tests.support.builders import an_agent_body

PROMPT_TOKENS = 100_000


def _call_limits(**changed: Any) -> CallLimits:
    body = an_agent_body(limits={"max_output_tokens": 100}, **changed)
    del body["rehearsal"]
    limits = SharedLimits(MemoryLimitStore(), StillClock())
    providers = Providers(with_built_in(()), MemoryProviderKeys(MemoryPools({})), limits)
    return CallLimits.of(AgentDefinition.model_validate(body), rehearsed=False, providers=providers)


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "gpt-6-luna", "bedrock/claude-sonnet-5-5"])
@pytest.mark.parametrize(
    ("cache", "kept"),
    [(None, "cache_write_tokens"), ("5m", "cache_write_tokens"), ("1h", "cache_write_1h_tokens")],
)
def test_a_prompt_that_the_cache_has_lost_costs_no_more_than_was_reserved(
    model: str, cache: str | None, kept: str
) -> None:
    call_limits = _call_limits(model=model, cache=cache)
    usage = Usage.model_validate({kept: PROMPT_TOKENS, "output_tokens": 100})
    cost = call_limits.cost_usd_micros(ModelReply(usage=usage))
    assert call_limits.reserve_usd_micros(PROMPT_TOKENS) >= cost


def test_a_dearer_fallback_is_reserved_for() -> None:
    call_limits = _call_limits(model="gpt-6-luna", fallbacks=["claude-sonnet-5-5"])
    usage = Usage(cache_write_tokens=PROMPT_TOKENS, output_tokens=100)
    cost = call_limits.cost_usd_micros(ModelReply(usage=usage, model="claude-sonnet-5-5"))
    assert call_limits.reserve_usd_micros(PROMPT_TOKENS) >= cost
