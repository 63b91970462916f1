"""A long run over a real SDK: the provider on loopback refuses what its window does not hold, and thoughts that changed."""

from __future__ import annotations

import json

import pytest

from stepward.adapters.memory.functions import MemoryResults
from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.provider_limits import SharedLimits
from stepward.agents.answering import StageAnswers
from stepward.domain.journal import Condensed
from stepward.domain.money import Price
from stepward.domain.run_state import fold
from stepward.models import streams
from stepward.models.gateway import Providers
from stepward.ports.providers import ProviderEntry
from stepward.testing.fake_llm import Call, FakeProvider, ModelLimits, Reply, Settings
from tests.support.builders import an_agent_body
from tests.support.driver import World

WINDOW = 32_000
SMALL = Price(
    input_usd_per_mtok=1, output_usd_per_mtok=2, context_tokens=WINDOW, max_output_tokens=4_000,
    source="a test", as_of="2026-01-01",
)  # fmt: skip
SETTINGS = Settings(models={"small": ModelLimits(WINDOW, 4_000)})
TOOLS = [
    {"tool": "record_lookup", "config": {"source": "datasets/books.csv", "key": "title"}},
    {"tool": "read_result"},
]


def _looking(turns: int) -> list[Reply]:
    """Think, look a book up, and do so again, until the last turn."""
    call = Call(tool="record_lookup", arguments={"key": "Dune"})
    looks = [Reply(text="Once more. " * 60, thinking=f"Thought {n}.", calls=[call]) for n in range(1, turns)]
    return [*looks, Reply(text="Done.")]


def _world(result_bytes: int, urls: dict[str, str], **changed: object) -> World:
    agreed = {f"{name}/small": SMALL for name in urls}
    entries = [ProviderEntry(name=name, kind="anthropic", base_url=url) for name, url in urls.items()]
    pool = json.dumps({"keys": [{"id": "one", "value": "sk-planted-0123456789"}]})
    world = World(
        results=MemoryResults(), stage=StageAnswers(rehearsals=False), agreed=agreed, most_events=2_000
    )
    world.providers = Providers(
        entries=tuple(entries),
        keys=MemoryProviderKeys(MemoryPools({f"{name}/shared": pool for name in urls})),
        limits=SharedLimits(MemoryLimitStore(), world.clock),
        pause=lambda _: None,
    )
    world.datasets.put("acme", "datasets/books.csv", f"title,text\nDune,{'x' * result_bytes}\n".encode())
    body = an_agent_body(
        model="ours/small", tools=TOOLS, limits={"max_iterations": 200, "cost_limit_usd": 100}, **changed
    )
    world.register(body)
    return world


@pytest.mark.parametrize(("turns", "result_bytes"), [(150, 102_000), (30, 30_000)])
def test_a_long_run_never_sends_more_than_its_models_window(turns: int, result_bytes: int) -> None:
    try:
        with FakeProvider(*_looking(turns), settings=SETTINGS) as provider:
            world = _world(result_bytes, {"ours": provider.url})
            key = world.start()
            found = world.finish(key)
            requests = provider.requests
    finally:
        streams.close()
    assert (found["status"], found["output"]) == ("COMPLETED", "Done."), found["error"]
    assert {request.status for request in requests} == {200}
    assert max(request.prompt_tokens or 0 for request in requests) + 1_024 <= WINDOW
    assert len(requests) == turns == found["totals"]["turns"]
    records = [item.record for item in world.journal.load(key).records]
    assert sum(isinstance(record, Condensed) for record in records) >= 2
    sizes = [len(record.model_dump_json()) for record in records]
    half = len(sizes) // 2
    assert 0.8 < sum(sizes[half:]) / sum(sizes[:half]) < 1.25


def test_a_cheap_model_sums_up_over_the_wire() -> None:
    summary = Reply(text="Dune was looked up.", repeat=True)
    try:
        with (
            FakeProvider(*_looking(40), settings=SETTINGS) as provider,
            FakeProvider(summary, settings=SETTINGS) as cheap,
        ):
            urls = {"ours": provider.url, "cheap": cheap.url}
            world = _world(3_500, urls, context={"summarise": "cheap/small"})
            key = world.start()
            found = world.finish(key)
            asked, summed = provider.requests, cheap.requests
    finally:
        streams.close()
    assert found["status"] == "COMPLETED", found["error"]
    state = fold(world.journal.load(key))
    assert state.condensation is not None
    assert state.condensation.summary == "Dune was looked up."
    assert len(summed) == sum(kind == "condensed" for kind in world.kinds(key)) > 0
    paid = {model: totals for (_, model), totals in state.ledger.by_payee.items()}
    for model, requests in (("ours/small", asked), ("cheap/small", summed)):
        read = paid[model].input_tokens + paid[model].cache_read_tokens + paid[model].cache_write_tokens
        assert read == sum(request.prompt_tokens or 0 for request in requests)
