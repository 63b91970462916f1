"""What makes two calls equal for the response cache, and how an agent asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.call_limits import CallLimits
from stepward.agents.requests import parse
from stepward.agents.response_cache import digest_of
from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import Attachment
from stepward.domain.conversation import Exchange, ModelRequest, ToolResult
from stepward.domain.errors import InvalidRequest
from stepward.domain.journal import Turn
from stepward.domain.runs import RunKey
from stepward.models.gateway import Gateway
from tests.unit.agents.caching import CALL, DONE, USED, a_body, a_world, run_twice
from tests.unit.agents.test_endings import Model


def _call_limits(**changed: Any) -> CallLimits:
    return CallLimits.of(AgentDefinition.model_validate(a_body(**changed)), rehearsed=False)


def _request(**changed: Any) -> ModelRequest:
    return ModelRequest.model_validate({"model": "m", "prompt": "p", "input": "i", **changed})


def test_what_no_model_is_sent_makes_no_difference() -> None:
    result = ToolResult(call="call_1_1", tool="calculate", content=42)
    plain = _request(history=(Exchange(reply=CALL, results=(result,)),), own_turn=1)
    booked = result.model_copy(update={"took_ms": 7, "cost_usd_micros": 3})
    said = CALL.model_copy(update={"usage": USED, "request_id": "another"})
    other = _request(history=(Exchange(reply=said, results=(booked,)),), own_turn=2)
    assert digest_of(_call_limits(), plain) == digest_of(_call_limits(), other)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "n"},
        {"prompt": "q"},
        {"input": "j"},
        {"max_output_tokens": 9},
        {"options": {"temperature": 0.5}},
        {"options": {"effort": "low"}},
        {"output_schema": {"type": "object"}},
        {"tools": [{"name": "t", "description": "", "parameters": {}}]},
        {"condensed": "c"},
        {"left_out": 1},
        {"history": (Exchange(reply=DONE, note="again"),)},
    ],
)
def test_what_a_model_is_sent_makes_a_difference(changed: dict[str, Any]) -> None:
    assert digest_of(_call_limits(), _request()) != digest_of(_call_limits(), _request(**changed))


def test_files_are_told_apart_by_their_content_and_name_and_not_by_their_folder() -> None:
    def digest(key: str, sha256: str) -> str:
        file = Attachment(key=key, media_type="image/png", size_bytes=9, sha256=sha256)
        return digest_of(_call_limits(), _request(attachments=(file,)))

    assert digest("a/one.png", "1") == digest("b/one.png", "1")
    assert len({digest("a/one.png", "1"), digest("a/two.png", "1"), digest("a/one.png", "2")}) == 3


def test_a_prompt_is_measured_by_what_the_model_counted_when_it_gave_the_reply() -> None:
    gateway = _call_limits().backend
    assert isinstance(gateway, Gateway)
    world = a_world(Model(DONE))
    _, second = run_twice(world)
    hit = world.journal.load(RunKey(tenant="acme", run=second["id"])).records[-1].record
    assert isinstance(hit, Turn)
    both = [gateway.estimate_input_tokens(_request(history=(Exchange(reply=r),))) for r in (DONE, hit.reply)]
    assert both[0] == both[1] >= 1_000


@pytest.mark.parametrize("ttl_s", [0, -1, 31_536_001, 1.5, "60", True, None])
def test_a_time_that_is_none_is_refused_with_its_field(ttl_s: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(AgentDefinition, {**a_body(), "response_cache": {"ttl_s": ttl_s}})
    assert refused.value.field == "response_cache.ttl_s"
    assert "from 1 to 31536000" in refused.value.detail


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ("1h", "response_cache", "{ttl_s: 3600}"),
        (True, "response_cache", "{ttl_s: 3600}"),
        (3600, "response_cache", "{ttl_s: 3600}"),
        ({}, "response_cache.ttl_s", "add 'ttl_s'"),
        ({"ttl": 60, "ttl_s": 60}, "response_cache.ttl", "did you mean 'ttl_s'?"),
    ],
)
def test_another_way_of_writing_it_is_refused_with_the_right_one(given: Any, field: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(AgentDefinition, {**a_body(), "response_cache": given})
    assert refused.value.field == field
    assert says in f"{refused.value.detail} {refused.value.fix}"
