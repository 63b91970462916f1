"""The gateway: which model is asked, with which key, how often, and who answered in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.provider_limits import SharedLimits
from stepward.domain.conversation import Exchange, ModelReply, ModelRequest, Tried
from stepward.domain.errors import (
    KeyMissing,
    KeyRefused,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.domain.money import Usage
from stepward.models.cards import listed_card
from stepward.models.gateway import Gateway, Providers
from stepward.ports.models import CallContext
from stepward.ports.providers import with_built_in

REQUEST = ModelRequest(model="claude-sonnet-5-5", prompt="Help.", input="Hello.", max_output_tokens=100)
DONE = ModelReply(text="Done.", usage=Usage(input_tokens=10, output_tokens=2))
CALL = CallContext(tenant="acme", name="run:1")


@dataclass
class Vendor:
    """Stands in for the clients of all vendors: raises or answers in order, and notes who was asked with what."""

    outcomes: list[ModelReply | ProviderFault] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    store: MemoryLimitStore = field(default_factory=MemoryLimitStore)
    time: datetime = datetime(2026, 11, 30, tzinfo=UTC)
    pools: dict[str, str] = field(default_factory=dict)

    def __call__(self) -> Vendor:
        return self

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        self.asked.append((request.model, call.access.key.get_secret_value() if call.access.key else None))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, ProviderFault):
            raise outcome
        return outcome

    def now(self) -> datetime:
        return self.time

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += timedelta(seconds=seconds)

    def gateway(self, *models: str) -> Gateway:
        cards = [listed_card(model) for model in models or ("claude-sonnet-5-5",)]
        providers = Providers(
            entries=with_built_in(()),
            keys=MemoryProviderKeys(MemoryPools(self.pools)),
            limits=SharedLimits(self.store, self),
            pause=self.pause,
            clients=lambda _: self,
        )
        return Gateway([card for card in cards if card], 1_024, providers)


def _pool(**keys: str) -> str:
    return json.dumps({"keys": [{"id": name, "value": value} for name, value in keys.items()]})


@pytest.fixture
def vendor() -> Vendor:
    return Vendor(pools={"anthropic/shared": _pool(one="k-1"), "openai/shared": _pool(one="o-1")})


def test_a_call_without_limits_writes_nothing_and_names_nobody_else(vendor: Vendor) -> None:
    vendor.outcomes = [DONE]
    assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert (vendor.asked, vendor.store.writes) == ([("claude-sonnet-5-5", "k-1")], 0)


def _attached(media_type: str, size_bytes: int) -> ModelRequest:
    file = {"key": "a", "media_type": media_type, "size_bytes": size_bytes, "sha256": "0" * 64}
    return ModelRequest.model_validate({**REQUEST.model_dump(), "attachments": [file]})


@pytest.mark.parametrize(
    ("media_type", "size_bytes", "tokens"),
    [
        ("image/png", 70, 5_000),
        ("application/pdf", 200, 5_000),
        ("application/pdf", 4_000_000, 200_000),
        ("text/csv", 3_001, 1_501),
    ],
)
def test_attachments_are_reserved_for_until_a_reply_tells_what_they_took(
    vendor: Vendor, media_type: str, size_bytes: int, tokens: int
) -> None:
    asked, gateway = _attached(media_type, size_bytes), vendor.gateway()
    more = gateway.estimate_input_tokens(asked) - gateway.estimate_input_tokens(REQUEST)
    assert tokens <= more <= tokens + 100  # what names the file is counted too
    later = {"history": (Exchange(reply=DONE),)}
    counted = [gateway.estimate_input_tokens(one.model_copy(update=later)) for one in (asked, REQUEST)]
    assert counted[0] == counted[1]


def test_a_model_that_takes_no_images_is_not_asked_about_one(vendor: Vendor) -> None:
    vendor.outcomes = [DONE]
    with pytest.raises(ProviderRefused, match="takes no images"):
        vendor.gateway("text-embedding-3-small").reply(_attached("image/png", 70), CALL)
    reply = vendor.gateway("text-embedding-3-small", "claude-sonnet-5-5").reply(
        _attached("image/png", 70), CALL
    )
    assert reply.tried == (Tried(model="text-embedding-3-small", error="ProviderRefused"),)


def test_a_tenants_own_key_is_used_before_the_shared_one(vendor: Vendor) -> None:
    vendor.pools["anthropic/acme"] = _pool(own="a-1")
    vendor.outcomes = [DONE]
    vendor.gateway().reply(REQUEST, CALL)
    assert vendor.asked == [("claude-sonnet-5-5", "a-1")]


def test_short_pauses_are_made_here_and_long_ones_are_the_machines(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderThrottled("slower", retry_after_s=1.5), ProviderUnavailable("down"), DONE]
    assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert vendor.pauses == [2.0, 1.0]
    vendor.outcomes, vendor.pauses = [ProviderThrottled("slower", retry_after_s=30)], []
    with pytest.raises(ProviderThrottled):
        vendor.gateway().reply(REQUEST, CALL)
    assert vendor.pauses == []


def test_a_reply_that_was_begun_is_not_asked_for_again_here(vendor: Vendor) -> None:
    vendor.outcomes = [StreamCut("cut", partial=ModelReply(text="Do", stop="cut"))]
    with pytest.raises(StreamCut):
        vendor.gateway().reply(REQUEST, CALL)
    assert len(vendor.asked) == 1


def test_a_refused_key_is_read_again_once_for_it_may_have_been_changed(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rotate(_: MemoryProviderKeys, tenant: str, provider: str) -> None:
        vendor.pools["anthropic/shared"] = _pool(one="k-2")

    monkeypatch.setattr(MemoryProviderKeys, "forget", rotate)
    vendor.outcomes = [KeyRefused("no"), DONE]
    assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert [key for _, key in vendor.asked] == ["k-1", "k-2"]


def test_another_key_of_the_pool_is_used_where_one_is_refused(vendor: Vendor) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="k-1", two="k-2")
    vendor.outcomes = [KeyRefused("no"), DONE]
    assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert [key for _, key in vendor.asked] == ["k-1", "k-2"]


def test_every_key_of_a_pool_is_tried_once_before_a_call_is_given_up(vendor: Vendor) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="k-1", two="k-2", three="k-3")
    vendor.outcomes = [KeyRefused("no"), KeyRefused("no"), DONE, DONE]
    assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert [key for _, key in vendor.asked] == ["k-1", "k-2", "k-3", "k-3"]
    vendor.outcomes = [KeyRefused("no")] * 3
    with pytest.raises(KeyRefused):
        vendor.gateway().reply(REQUEST, CALL)
    assert vendor.outcomes == []


def test_a_key_that_is_throttled_is_left_for_one_that_is_not(vendor: Vendor) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="k-1", two="k-2")
    vendor.outcomes = [ProviderThrottled("slower", retry_after_s=30), DONE, DONE]
    for _ in range(2):
        assert vendor.gateway().reply(REQUEST, CALL) == DONE
    assert [key for _, key in vendor.asked] == ["k-1", "k-2", "k-2"]
    assert vendor.pauses == []


def test_where_all_keys_are_throttled_the_soonest_says_when_to_come_again(vendor: Vendor) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="k-1", two="k-2", three="k-3")
    vendor.outcomes = [
        ProviderThrottled("slower", retry_after_s=30),
        KeyRefused("no"),
        ProviderThrottled("slower", retry_after_s=90),
    ]
    with pytest.raises(ProviderThrottled) as told:
        vendor.gateway().reply(REQUEST, CALL)
    assert told.value.retry_after_s == 30
    assert len(vendor.asked) == 3


def test_a_model_that_a_key_may_not_use_does_not_put_the_key_behind_for_others(vendor: Vendor) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="k-1", two="k-2")
    forbidden = KeyRefused("no")
    forbidden.status = 403
    vendor.outcomes = [forbidden, DONE, DONE, DONE]
    vendor.gateway().reply(REQUEST, CALL)
    vendor.gateway().reply(REQUEST, CALL)
    vendor.gateway("claude-haiku-5-5").reply(REQUEST, CALL)
    assert [key for _, key in vendor.asked] == ["k-1", "k-2", "k-2", "k-1"]


def test_a_key_that_a_provider_repeats_is_shown_to_nobody(vendor: Vendor) -> None:
    vendor.pools["anthropic/shared"] = _pool(one="planted-0123456789")
    said = "the header x-api-key: planted-0123456789 is odd"
    for fault in (ProviderRefused(said, fix=said), ProviderUnavailable(said), StreamCut(said, partial=DONE)):
        vendor.outcomes = [fault] * 3
        with pytest.raises(type(fault)) as told:
            vendor.gateway().reply(REQUEST, CALL)
        assert "x-api-key: … is odd" in told.value.detail
        assert "planted" not in f"{told.value!r} {told.value} {told.value.fix}"


def test_a_refused_key_that_nobody_has_changed_is_not_tried_again(vendor: Vendor) -> None:
    vendor.outcomes = [KeyRefused("no")]
    with pytest.raises(KeyRefused):
        vendor.gateway().reply(REQUEST, CALL)


def test_without_a_key_the_operator_is_named(vendor: Vendor) -> None:
    del vendor.pools["anthropic/shared"]
    with pytest.raises(KeyMissing) as caught:
        vendor.gateway().reply(REQUEST, CALL)
    assert (vendor.asked, "provider_keys set" in str(caught.value.fix)) == ([], True)


def test_the_next_model_answers_where_the_first_does_not(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderRefused("no"), DONE]
    reply = vendor.gateway("claude-sonnet-5-5", "gpt-6.1-terra").reply(REQUEST, CALL)
    assert (reply.model, reply.tried) == (
        "gpt-6.1-terra",
        (Tried(model="claude-sonnet-5-5", error="ProviderRefused"),),
    )
    assert vendor.asked == [("claude-sonnet-5-5", "k-1"), ("gpt-6.1-terra", "o-1")]


def test_a_prompt_is_counted_once_however_many_models_are_asked(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.outcomes = [ProviderRefused("no"), DONE]
    counted: list[ModelRequest] = []
    monkeypatch.setattr("stepward.models.gateway.most_prompt_tokens", lambda one: counted.append(one) or 10)
    vendor.gateway("claude-sonnet-5-5", "gpt-6.1-terra").reply(REQUEST, CALL)
    assert (len(vendor.asked), len(counted)) == (2, 1)


def test_what_was_cut_of_the_second_model_is_priced_as_its_own(vendor: Vendor) -> None:
    cut = StreamCut("cut", partial=ModelReply(text="Do", stop="cut"))
    vendor.outcomes = [ProviderRefused("no"), cut]
    with pytest.raises(StreamCut) as caught:
        vendor.gateway("claude-sonnet-5-5", "gpt-6.1-terra").reply(REQUEST, CALL)
    assert isinstance(caught.value.partial, ModelReply)
    assert caught.value.partial.model == "gpt-6.1-terra"


def test_the_last_models_error_is_the_calls(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderRefused("first"), ProviderRefused("second")]
    with pytest.raises(ProviderRefused, match="second"):
        vendor.gateway("claude-sonnet-5-5", "gpt-6.1-terra").reply(REQUEST, CALL)


def test_no_time_is_slept_away_that_the_function_has_not(vendor: Vendor) -> None:
    vendor.outcomes = [ProviderUnavailable("down")]
    with pytest.raises(ProviderUnavailable):
        vendor.gateway().reply(REQUEST, CallContext(tenant="acme", time_left_s=lambda: 1.0))
    assert vendor.pauses == []


def test_an_estimate_goes_on_from_what_the_last_call_took(vendor: Vendor) -> None:
    backend = vendor.gateway()
    first = backend.estimate_input_tokens(REQUEST)
    told = ModelReply(
        text="a" * 40, usage=Usage(input_tokens=5_000, cache_read_tokens=3_000, output_tokens=10)
    )
    later = REQUEST.model_copy(update={"history": (Exchange(reply=told),)})
    assert first > len("Help.Hello.") / 4
    assert 8_000 < backend.estimate_input_tokens(later) < 8_500


def test_after_a_long_silence_the_next_model_has_its_turn_while_there_is_time(vendor: Vendor) -> None:
    left_s = iter([900.0, 900.0, 600.0])
    call = CallContext(tenant="acme", name="run:1", time_left_s=lambda: next(left_s, 600.0))
    vendor.outcomes = [ProviderUnavailable("nothing came for 300 s"), DONE]
    reply = vendor.gateway("claude-sonnet-5-5", "gpt-6.1-terra").reply(REQUEST, call)
    assert [model for model, _ in vendor.asked] == ["claude-sonnet-5-5", "gpt-6.1-terra"]
    assert (reply.model, vendor.pauses) == ("gpt-6.1-terra", [])
