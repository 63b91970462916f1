"""Worlds in memory whose agents ask the provider on loopback by the vendors' real SDKs."""

from __future__ import annotations

import json
from typing import Any

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.provider_limits import SharedLimits
from stepward.domain.money import Price
from stepward.models.gateway import Providers
from stepward.ports.providers import ProviderEntry, with_built_in
from stepward.testing.fake_llm import FakeProvider, ModelLimits, Settings
from tests.support.builders import an_agent_body
from tests.support.driver import World

MODELS = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-6-luna",
    "openai-chat": "ours/llama-4",
    "bedrock": "bedrock/claude-sonnet-5-5",
}
"""What a provider speaks → a model that it is asked for; `ours` is a server of the operator's own."""
LOOPBACK = Settings(models={"llama-4": ModelLimits(128_000, 8_000)})
"""What the provider on loopback has to know for that."""
_OURS = "ours/llama-4"


def a_price() -> Price:
    return Price.model_validate(
        {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2", "source": "a test", "as_of": "2026-11-30"}
    )


def a_world(url: str, *, has_keys: bool = True, **changed: Any) -> World:
    """Make a world whose providers are all at one address; `changed` are further fields of their entries."""
    found = World(agreed={_OURS: a_price()})
    openai = f"{url}/v1"
    addresses = {
        "anthropic": ("anthropic", url), "openai": ("openai", openai), "bedrock": ("bedrock", url), "ours": ("openai-chat", openai),
    }  # fmt: skip
    entries = with_built_in(
        ProviderEntry.model_validate({"name": name, "kind": kind, "base_url": base, **changed})
        for name, (kind, base) in addresses.items()
    )
    pool = json.dumps({"keys": [{"id": "one", "value": "sk-test-0123456789"}]})
    pools = MemoryPools({f"{entry.name}/shared": pool for entry in entries} if has_keys else {})
    limits = SharedLimits(MemoryLimitStore(), found.clock, spread_s=lambda: 0.0)
    found.providers = Providers(entries, MemoryProviderKeys(pools), limits, pause=found.clock.forward)
    return found


def registered(world: World, model: str, **changed: Any) -> str:
    """Register an agent that only its model answers; give its id."""
    body = an_agent_body(id=model.replace("/", "-").replace(".", "-"), model=model, **changed)
    del body["rehearsal"]
    world.register(body)
    found: str = body["id"]
    return found


def loopback() -> FakeProvider:
    """Make a provider that knows all of `MODELS`."""
    return FakeProvider(settings=LOOPBACK)
