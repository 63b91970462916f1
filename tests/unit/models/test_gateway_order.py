"""The order in which an agent's models are asked: who is passed over, when one is asked too late, and which wait is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stepward.domain.conversation import ModelReply, Tried
from stepward.domain.errors import (
    AskNextModel,
    KeyMissing,
    KeyRefused,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.ports.models import CallContext
from stepward.ports.providers import PlannedCall, ProviderKey
from tests.unit.models.test_gateway import CALL, DONE, REQUEST, Vendor, _pool, vendor

__all__ = ["vendor"]
FIRST, SECOND, THIRD = "claude-sonnet-5-5", "gpt-6.1-terra", "claude-haiku-5-5"


def _after(*unanswered: tuple[str, tuple[str, ...]], left_s: Sequence[float] = ()) -> CallContext:
    rest = iter(left_s)
    last = left_s[-1] if left_s else 900.0
    return CallContext(
        tenant="acme", name="run:1", unanswered=dict(unanswered), time_left_s=lambda: next(rest, last)
    )


def test_a_model_whose_stream_was_cut_is_asked_after_the_others(vendor: Vendor) -> None:
    vendor.outcomes = [DONE]
    reply = vendor.gateway(FIRST, SECOND).reply(REQUEST, _after((FIRST, ("StreamCut",))))
    assert [model for model, _ in vendor.asked] == [SECOND]
    assert (reply.model, reply.tried) == (SECOND, (Tried(model=FIRST, error="StreamCut"),))


def test_models_that_broke_off_as_often_are_asked_in_their_order(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderRefused("no"), ProviderRefused("no"), DONE]
    gone = [(FIRST, ("StreamCut",)), (SECOND, ("StreamCut",))]
    vendor.gateway(FIRST, SECOND, THIRD).reply(REQUEST, _after(*gone))
    assert [model for model, _ in vendor.asked] == [THIRD, FIRST, SECOND]


def test_the_agents_own_model_is_not_named_where_it_answers_after_all(vendor: Vendor) -> None:
    vendor.outcomes = [DONE]
    gone = [(FIRST, ("StreamCut",)), (SECOND, ("StreamCut", "StreamCut"))]
    reply = vendor.gateway(FIRST, SECOND).reply(REQUEST, _after(*gone))
    assert (reply.model, reply.tried) == (None, ())


def test_what_is_cut_of_the_model_asked_instead_is_its_own(vendor: Vendor) -> None:
    vendor.outcomes = [StreamCut("cut", partial=ModelReply(text="Do", stop="cut"))]
    with pytest.raises(StreamCut) as caught:
        vendor.gateway(FIRST, SECOND).reply(REQUEST, _after((FIRST, ("StreamCut",))))
    assert isinstance(caught.value.partial, ModelReply)
    assert caught.value.partial.model == SECOND


def test_the_next_model_is_not_asked_in_less_time_than_its_longest_call_takes(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderUnavailable("nothing came for 300 s"), DONE]
    call = _after(left_s=(900.0, 900.0, 95.0))  # a call of 1,024 tokens takes 89 s, and 10 are for the books
    with pytest.raises(AskNextModel) as caught:
        vendor.gateway(FIRST, SECOND).reply(REQUEST, call)
    assert [model for model, _ in vendor.asked] == [FIRST]
    assert (caught.value.tried, caught.value.code) == ((FIRST,), "ProviderUnavailable")


def test_once_all_have_failed_in_one_function_or_another_the_round_is_over(vendor: Vendor) -> None:
    slow = (900.0, 900.0, 95.0)
    seen: list[tuple[tuple[str, ...], bool]] = []
    unanswered: dict[str, tuple[str, ...]] = {}
    for _ in range(6):
        vendor.outcomes = [ProviderUnavailable("nothing came for 300 s")]
        with pytest.raises(AskNextModel) as caught:
            vendor.gateway(FIRST, SECOND, THIRD).reply(REQUEST, _after(*unanswered.items(), left_s=slow))
        seen.append((caught.value.tried, caught.value.is_round_over))
        for model in caught.value.tried:
            unanswered[model] = (*unanswered.get(model, ()), caught.value.code)
    one_round = [((FIRST,), False), ((SECOND,), False), ((THIRD,), True)]
    assert seen == one_round * 2


def test_a_function_that_has_never_more_time_asks_the_next_model_while_it_is_fresh(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderRefused("no"), DONE]
    reply = vendor.gateway(FIRST, SECOND).reply(REQUEST, _after(left_s=(60.0, 60.0, 59.0)))
    assert reply.model == SECOND


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (ProviderThrottled("soon", retry_after_s=3), ProviderThrottled("late", retry_after_s=60), "soon"),
        (ProviderThrottled("late", retry_after_s=60), ProviderThrottled("soon", retry_after_s=3), "soon"),
        (ProviderThrottled("soon", retry_after_s=3), KeyMissing("no key"), "soon"),
        (KeyMissing("no key"), ProviderThrottled("soon", retry_after_s=3), "soon"),
        (ProviderThrottled("late", retry_after_s=60), ProviderThrottled("untold"), "untold"),
        (ProviderRefused("first"), KeyRefused("second"), "second"),
    ],
)
def test_of_all_models_the_shortest_wait_is_told(
    vendor: Vendor, first: ProviderThrottled, second: ProviderThrottled, told: str
) -> None:
    vendor.outcomes = [first, second, second, second]  # who says no time is asked thrice
    with pytest.raises((ProviderThrottled, KeyRefused), match=told):
        vendor.gateway(FIRST, SECOND).reply(REQUEST, CALL)


def test_a_full_key_does_not_hide_that_another_has_room_sooner(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="k-1", two="k-2")
    vendor.outcomes = [ProviderThrottled("in a moment", retry_after_s=3)]
    gateway = vendor.gateway()
    limits = gateway._providers.limits  # type: ignore[union-attr]
    admit = limits.admit

    def full(call: PlannedCall, keys: Sequence[ProviderKey]) -> ProviderKey:
        if len(keys) == 1:
            raise ProviderThrottled("this minute is full", retry_after_s=60)
        return admit(call, keys)

    monkeypatch.setattr(limits, "admit", full)
    with pytest.raises(ProviderThrottled, match="in a moment") as told:
        gateway.reply(REQUEST, CALL)
    assert told.value.retry_after_s == 3
