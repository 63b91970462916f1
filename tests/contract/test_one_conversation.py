"""One conversation, asked of every provider by its real SDK: the same journal, but for names, ids and prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stepward.models import streams
from stepward.testing.fake_llm import FakeProvider
from tests.support.driver import World
from tests.support.provider_runs import MODELS, a_world, loopback, registered

pytestmark = pytest.mark.enable_socket
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
    with loopback() as running:
        yield running


@pytest.fixture
def world(provider: FakeProvider) -> World:
    return a_world(provider.url)


def talked(world: World, model: str, **changed: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    key = world.start(registered(world, model, **changed))
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
    for model in MODELS.values():
        provider.script(*CONVERSATION)
        end, found[model] = talked(world, model, tools=[{"tool": "calculate"}])
        assert (end["status"], end["output"]) == ("COMPLETED", '{"total": 42}'), end["error"]
        assert end["totals"]["input_tokens"] >= 300
        assert end["answered_by"] == model
    first, *others = found.values()
    assert [record["kind"] for record in first].count("turn") == 4
    assert all(other == first for other in others)


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "gpt-6-luna", "bedrock/claude-sonnet-5-5"])
def test_an_answer_that_does_not_fit_is_repaired_within_a_bound(
    world: World, provider: FakeProvider, model: str
) -> None:
    provider.script(*REPAIRED)
    end, records = talked(world, model, output_schema=SCHEMA)
    assert (end["status"], end["output"]) == ("COMPLETED", '{"total": 42}')
    notes = [record["note"] for record in records if record.get("note")]
    assert ["not JSON" in notes[0], "output.total" in notes[1]] == [True, True]
    provider.script(*REPAIRED[:2], {"text": "never", "usage": USED})
    again = world.finish(world.start(model.replace("/", "-").replace(".", "-")))
    assert (again["status"], again["error"]["code"]) == ("FAILED", "OutputInvalid")
