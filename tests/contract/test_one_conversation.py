"""One conversation, asked of every provider by its real SDK: the same journal, but for names, ids and prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stepward.adapters.memory.provider_keys import MemoryPools, MemoryProviderKeys
from stepward.adapters.memory.provider_limits import MemoryLimitStore
from stepward.adapters.provider_limits import SharedLimits
from stepward.domain.money import Price
from stepward.models import streams
from stepward.models.gateway import Providers
from stepward.ports.providers import ProviderEntry, with_built_in
from stepward.testing.fake_llm import FakeProvider, ModelLimits, Settings
from tests.builders import an_agent_body
from tests.driver import World

pytestmark = pytest.mark.enable_socket
MODELS = ("claude-sonnet-5-5", "gpt-6-luna", "ours/llama-4", "bedrock/claude-sonnet-5-5")
USED = {"input_tokens": 100, "output_tokens": 20}
TWO_CALLS = {
    "text": "I reckon.",
    "calls": [
        {"tool": "calculate", "arguments": {"expression": "6 * 7"}},
        {"tool": "calculate", "arguments": {"expression": "6 / 0"}},
    ],
    "usage": USED,
}
UNREADABLE = {"calls": [{"tool": "calculate", "arguments_text": '{"expression": '}], "usage": USED}
DONE = {"text": '{"total": 42}', "usage": USED}
CONVERSATION = (TWO_CALLS, UNREADABLE, {"fault": "empty"}, DONE)
REPAIRED = ({"text": "no JSON", "usage": USED}, {"text": '{"total": "42"}', "usage": USED}, DONE)
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number"}},
    "required": ["total"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(settings=Settings(models={"llama-4": ModelLimits(128_000, 8_000)})) as running:
        yield running


@pytest.fixture
def world(provider: FakeProvider) -> World:
    found = World(agreed={"ours/llama-4": a_price()})
    openai = {"kind": "openai-chat", "base_url": provider.openai_url}
    entries = with_built_in(
        [
            ProviderEntry(name="anthropic", kind="anthropic", base_url=provider.url),
            ProviderEntry(name="openai", kind="openai", base_url=provider.openai_url),
            ProviderEntry(name="bedrock", kind="bedrock", base_url=provider.url),
            ProviderEntry.model_validate({"name": "ours", **openai}),
        ]
    )
    pool = json.dumps({"keys": [{"id": "one", "value": "sk-test-0123456789"}]})
    pools = MemoryPools({f"{entry.name}/shared": pool for entry in entries})
    limits = SharedLimits(MemoryLimitStore(), found.clock)
    found.providers = Providers(entries, MemoryProviderKeys(pools), limits, pause=lambda _: None)
    return found


def a_price() -> Price:
    return Price.model_validate(
        {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2", "source": "a test", "as_of": "2026-11-30"}
    )


def talked(world: World, model: str, **changed: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    agent = model.replace("/", "-").replace(".", "-")
    body = an_agent_body(id=agent, model=model, **changed)
    del body["rehearsal"]
    world.register(body)
    key = world.start(agent)
    end = world.finish(key)
    records = [item.record.model_dump(mode="json") for item in world.journal.load(key).records]
    return end, [_plain(record) for record in records]


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out what may differ: names, ids, prices, and how a vendor orders the parts of a reply."""
    for name in ("agent", "model", "cost_usd_micros", "intent", "at", "writer", "allowance", "slot"):
        record.pop(name, None)
    for name in ("request_id", "parts", "usage"):
        record.get("reply", {}).pop(name, None)
    for outcome in record.get("outcomes", []):
        outcome["result"].pop("took_ms", None)
    return record


def test_the_same_conversation_leaves_the_same_journal(world: World, provider: FakeProvider) -> None:
    found = {}
    for model in MODELS:
        provider.script(*CONVERSATION)
        end, found[model] = talked(world, model, tools=[{"tool": "calculate"}])
        assert (end["status"], end["output"]) == ("COMPLETED", '{"total": 42}'), end["error"]
        assert end["totals"]["input_tokens"] >= 300
        assert end["answered_by"] == model
    first = found[MODELS[0]]
    assert [record["kind"] for record in first].count("turn") == 4
    assert all(found[model] == first for model in MODELS[1:])


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "gpt-6-luna", "bedrock/claude-sonnet-5-5"])
def test_an_answer_that_does_not_fit_is_repaired_within_a_bound(
    world: World, provider: FakeProvider, model: str
) -> None:
    provider.script(*REPAIRED)
    end, records = talked(world, model, output_schema=SCHEMA)
    assert (end["status"], end["output"]) == ("COMPLETED", '{"total": 42}')
    notes = [record["note"] for record in records if record.get("note")]
    assert ["no JSON" in notes[0] or "no JSON" in str(notes), "output.total" in notes[1]] == [True, True]
    provider.script(*REPAIRED[:2], {"text": "never", "usage": USED})
    again = world.finish(world.start(model.replace("/", "-").replace(".", "-")))
    assert (again["status"], again["error"]["code"]) == ("FAILED", "OutputInvalid")
