"""What an agent says of long conversations is held to its models when it is registered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from stepward.agents.context import window_tokens
from stepward.agents.definition_checks import check_context
from stepward.agents.definition_schema import agent_schema
from stepward.agents.model_checks import ModelCheckContext
from stepward.agents.register import Register
from stepward.agents.standalone import check_alone
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.money import Price
from tests.support.builders import an_agent, an_agent_body
from tests.support.driver import World

SMALL = Price(
    input_usd_per_mtok=1, output_usd_per_mtok=2, context_tokens=32_000, max_output_tokens=4_000,
    source="a test", as_of="2026-01-01",
)  # fmt: skip
KNOWN = ModelCheckContext({"our-vllm/small": SMALL}, date(2026, 12, 1))


def _small(**changed: Any) -> AgentDefinition:
    return an_agent(model="our-vllm/small", **changed)


def test_the_room_is_what_the_window_leaves_after_the_answer_and_a_margin() -> None:
    assert window_tokens(_small(), KNOWN.agreed) == 32_000 - 1_024 - 1_024
    assert window_tokens(_small(limits={"max_output_tokens": 10_000}), KNOWN.agreed) == 28_000 - 1_024
    assert window_tokens(an_agent(), {}) == 1_000_000 - 1_024 - (1_000_000 - 1_024) // 50
    assert window_tokens(an_agent(fallbacks=["our-vllm/small"]), KNOWN.agreed) == 29_952
    assert window_tokens(_small(context={"max_tokens": 9_000}), KNOWN.agreed) == 9_000
    assert window_tokens(_small(), {}) is None
    assert window_tokens(_small(context={"max_tokens": 9_000}), {}) == 9_000


@pytest.mark.parametrize(
    ("changed", "field", "detail", "fix"),
    [
        ({"context": {"max_tokens": 30_000}}, "context.max_tokens", "room for 29952", "at most 29952"),
        (
            {"context": {"max_tokens": 1_000}, "prompt": "x" * 4_000},
            "context.max_tokens", "about 1111 tokens", "more than 1111",
        ),
        ({"prompt": "é" * 60_000}, "prompt", "about 33333 tokens", "larger window"),
        ({"context": {"summarise": "fats"}}, "context.summarise", "no price", "did you mean 'fast'"),
        (
            {"context": {"summarise": "text-embedding-3-small"}},
            "context.summarise", "writes no text", "such as fast",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_field_and_fix(
    changed: dict[str, Any], field: str, detail: str, fix: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_context(_small(**changed), KNOWN)
    assert (refused.value.field, detail in refused.value.detail, fix in str(refused.value.fix)) == (
        field, True, True,
    )  # fmt: skip


def test_an_answer_that_fills_the_window_is_refused() -> None:
    tight = ModelCheckContext({"our-vllm/small": SMALL.model_copy(update={"max_output_tokens": None})})
    with pytest.raises(InvalidRequest) as refused:
        check_context(_small(limits={"max_output_tokens": 31_500}), tight)
    assert refused.value.field == "limits.max_output_tokens"


def test_registration_and_the_check_without_a_server_ask_for_it() -> None:
    body = an_agent_body(context={"max_tokens": 2_000_000, "summarise": "fats"})
    with pytest.raises(InvalidRequest) as refused:
        Register(World().registry, World().clock, ())("acme", body)
    assert {one["field"] for one in refused.value.errors} == {"context.max_tokens", "context.summarise"}
    found = check_alone(body, lambda _: None, date(2026, 12, 1))
    assert [one["field"] for one in found.faults] == ["context.max_tokens"]
    assert ("context.summarise", "fats") in {(one["field"], one["name"]) for one in found.unchecked}


def test_a_definition_without_it_keeps_its_json_and_the_schema_offers_it() -> None:
    assert "context" not in an_agent().model_dump(mode="json")
    said = an_agent(context={"max_tokens": 5_000, "summarise": "off"})
    assert said.model_dump(mode="json")["context"] == {"max_tokens": 5_000, "summarise": "off"}
    assert said.context is not None
    assert said.context.summariser is None
    part = agent_schema()["$defs"]["ContextConfig"]["properties"]
    assert all(part[name]["description"] for name in ("max_tokens", "summarise"))
