"""Worlds whose agents use the response cache, for the tests of what that changes."""

from __future__ import annotations

from typing import Any

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.memory.small_ports import MemoryResponseCache, StillClock
from stepward.adapters.provider_limits import SharedLimits
from stepward.domain.conversation import ModelReply, ToolCall
from stepward.domain.money import Usage
from stepward.models.gateway import Providers
from stepward.ports.providers import with_built_in
from tests.support.builders import an_agent_body
from tests.support.driver import World

USED = Usage(input_tokens=1_000, output_tokens=100)
DONE = ModelReply(text="Done.", usage=USED, request_id="msg_1")
CALL = ModelReply(
    calls=(ToolCall(id="call_1_1", tool="calculate", arguments={"expression": "6 * 7"}),),
    usage=Usage(input_tokens=500, output_tokens=20),
    stop="tools",
)
DONE_USD_MICROS, CALL_USD_MICROS = 1_000 * 2 + 100 * 10, 500 * 2 + 20 * 10


def a_world(model: Any, cache: MemoryResponseCache | None = None) -> World:
    limits = SharedLimits(MemoryLimitStore(), StillClock())
    keys = MemoryProviderKeys(MemoryPools({}))
    responses = MemoryResponseCache() if cache is None else cache
    return World(backend=model, providers=Providers(with_built_in(()), keys, limits, responses=responses))


def cache_of(world: World) -> MemoryResponseCache:
    assert world.providers is not None
    found = world.providers.responses
    assert isinstance(found, MemoryResponseCache)
    return found


def a_body(**changed: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "tools": [{"tool": "calculate"}],
        "response_cache": {"ttl_s": 60},
        "rehearsal": None,
    }
    body = an_agent_body(**{**usual, **changed})
    return {name: value for name, value in body.items() if value is not None}


def run_twice(world: World, **changed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    first = world.run(a_body(**changed))
    return first, world.finish(world.start())
