"""A model that has ended is refused where it would be called; what was registered before stays readable."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from stepward.adapters.memory.small_ports import StillClock
from stepward.agents.definition_checks import check_agent
from stepward.agents.model_checks import ModelCheckContext
from stepward.agents.requests import entries_of
from stepward.agents.standalone import check_alone
from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price
from tests.support.builders import an_agent, an_agent_body
from tests.support.driver import World

BEFORE, ENDED = date(2026, 11, 29), date(2026, 11, 30)
DYING = "claude-sonnet-4-5"


def test_an_ended_model_is_refused_with_its_successor() -> None:
    agent = an_agent(model=DYING)
    check_agent(agent, (), ModelCheckContext(today=BEFORE))
    with pytest.raises(InvalidRequest) as refused:
        check_agent(agent, (), ModelCheckContext(today=ENDED))
    assert "ended on 2026-11-30" in refused.value.detail
    assert (refused.value.field, refused.value.fix) == ("model", "use 'claude-sonnet-5-5'")


def test_all_that_a_model_cannot_do_is_told_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_agent(an_agent(model="gpt-4o", temperature=0.5, limits={"max_output_tokens": 20_000}), ())
    assert refused.value.field == "limits.max_output_tokens"
    with pytest.raises(InvalidRequest) as both:
        check_agent(an_agent(temperature=0.5, llm_backend="openai"), ())
    assert {one["field"] for one in both.value.errors} == {"temperature", "llm_backend"}


def test_a_model_that_ends_soon_is_a_warning_where_agents_are_validated() -> None:
    body = an_agent_body(model=DYING)
    (warning,) = check_alone(body, lambda _: None, BEFORE).unchecked
    assert (warning["code"], warning["field"]) == ("model-ends-soon", "model")
    assert "ends on 2026-11-30" in warning["detail"]
    assert "claude-sonnet-5-5" in warning["fix"]
    assert check_alone(body, lambda _: None, date(2026, 9, 30)).unchecked == ()
    assert [one["field"] for one in check_alone(body, lambda _: None, ENDED).faults] == ["model"]


def test_a_version_from_before_is_read_but_not_started() -> None:
    world = World(clock=StillClock(datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)))
    world.register(an_agent_body(model=DYING))
    world.start()
    world.clock.forward(1)
    assert world.registry.agent("acme", "helper", "1.0.0") is not None
    with pytest.raises(InvalidRequest) as refused:
        world.start()
    assert "ended on 2026-11-30" in refused.value.detail
    assert refused.value.fix == "use 'claude-sonnet-5-5', in a new version of 'helper'"
    with pytest.raises(InvalidRequest):
        world.register(an_agent_body(model=DYING, version="1.0.1"))


OURS = Price(input_usd_per_mtok=1, output_usd_per_mtok=2, source="ours", as_of="2026-11-01")


def refused(known: ModelCheckContext | None = None, **changed: Any) -> dict[str, str]:
    """What is told of a definition: each field with its fix."""
    try:
        check_agent(an_agent(**changed), (), known)
    except InvalidRequest as error:
        return {one["field"]: one["fix"] for one in entries_of(error)}
    return {}


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"model": "gpt-4o", "effort": "low"}, ["effort"]),
        ({"model": "deep", "thinking": False}, ["thinking"]),
        ({"model": "gpt-6-luna", "cache": "1h"}, ["cache"]),
        ({"model": "gpt-6-luna", "cache": "off"}, []),
        ({"model": "gpt-6-luna", "temperature": 0.1}, ["temperature"]),
        ({"model": "gpt-6-luna", "temperature": 0.1, "thinking": False}, []),
        ({"fallbacks": ["gpt-4o"], "effort": "low"}, ["fallbacks.0"]),
        ({"fallbacks": ["fast", "claude-sonnet-5-5"]}, ["fallbacks.1"]),
        ({"fallbacks": ["gpt-9"]}, ["fallbacks.0"]),
        ({"fallbacks": ["deep", "gpt-6-luna"], "effort": "high", "cache": "5m"}, []),
        ({"model": "gpt-4o", "effort": "low", "fallbacks": ["gpt-4.1"]}, ["effort", "fallbacks.0"]),
        ({"output_schema": {"type": "object", "properties": {"a": {}}}}, ["output_schema.properties.a"]),
    ],
)
def test_a_field_is_held_to_the_model(changed: dict[str, Any], fields: list[str]) -> None:
    assert list(refused(**changed)) == fields


def test_an_ended_fallback_is_refused() -> None:
    assert refused(ModelCheckContext(today=ENDED), fallbacks=[DYING]) == {
        "fallbacks.0": "use 'claude-sonnet-5-5'"
    }


def test_an_agent_without_a_rehearsal_needs_a_provider() -> None:
    known = ModelCheckContext(
        {"gone/llama": OURS, "vllm/llama": OURS}, providers=frozenset({"anthropic", "vllm"})
    )
    assert refused(known, model="gone/llama") == {}
    assert "model" not in refused(known, model="vllm/llama", rehearsal=None)
    told = refused(known, model="gone/llama", rehearsal=None)["model"]
    assert told == "write PROVIDER/MODEL with one of: anthropic, vllm; the operator adds others"
