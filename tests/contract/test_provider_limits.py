"""How much a key may ask for in a minute, in both worlds, as several processes see it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import SecretStr

from stepward.adapters.aws import clients
from stepward.adapters.provider_limits import MOST_ASIDE, REFUSED_S
from stepward.domain.errors import ProviderThrottled
from stepward.ports.providers import OWN_ROLE, PlannedCall, ProviderEntry, ProviderKey
from tests.contract.provider_world import A, B, World, a_call, a_key, admitted, worlds


@pytest.fixture(params=["memory", "aws"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param)


def test_without_limits_nothing_is_counted_or_written(world: World) -> None:
    process = world.process()
    for _ in range(3):
        call = a_call()
        assert process.admit(call, [A]) == A
        process.answered(call, A, 5)
    assert world.writes() == 0


def test_a_call_takes_one_write(world: World) -> None:
    process = world.process()
    for number in range(1, 4):
        call = a_call(requests_a_minute=10, tokens_a_minute=1_000)
        process.admit(call, [A])
        process.answered(call, A, 5)
        assert world.writes() == number


def test_requests_of_all_processes_are_counted_together(world: World) -> None:
    processes = [world.process() for _ in range(3)]
    assert [admitted(one, a_call(requests_a_minute=3)) for one in processes] == ["a", "a", "a"]
    assert [admitted(one, a_call(requests_a_minute=3)) for one in processes] == [60, 60, 60]


def test_what_is_told_says_whether_it_is_our_limit_or_the_providers_own_word(world: World) -> None:
    process = world.process()
    process.admit(a_call(requests_a_minute=1), [A])
    with pytest.raises(ProviderThrottled) as ours:
        process.admit(a_call(requests_a_minute=1), [A])
    process.throttled(a_call(), B, 20)
    with pytest.raises(ProviderThrottled) as theirs:
        process.admit(a_call(requests_a_minute=1), [A, B])
    assert (ours.value.is_ours, theirs.value.is_ours, theirs.value.retry_after_s) == (True, False, 20)


def test_the_next_minute_has_room_again(world: World) -> None:
    process = world.process()
    world.clock.forward(20)
    assert admitted(process, a_call(requests_a_minute=1)) == "a"
    assert admitted(process, a_call(requests_a_minute=1)) == 40
    world.clock.forward(40)
    assert admitted(process, a_call(requests_a_minute=1)) == "a"


def test_tokens_are_counted_too(world: World) -> None:
    one, other = world.process(), world.process()
    assert admitted(one, a_call(60, tokens_a_minute=100)) == "a"
    assert admitted(other, a_call(50, tokens_a_minute=100)) == 60
    assert admitted(other, a_call(40, tokens_a_minute=100)) == "a"
    assert admitted(one, a_call(1, tokens_a_minute=100)) == 60


def test_a_call_larger_than_a_minute_takes_a_whole_one(world: World) -> None:
    one, other = world.process(), world.process()
    assert admitted(one, a_call(5_000, tokens_a_minute=100)) == "a"
    assert admitted(other, a_call(1, tokens_a_minute=100)) == 60


def test_what_a_call_took_less_than_was_thought_is_free_for_the_next(world: World) -> None:
    process = world.process()
    for _ in range(9):
        call = a_call(60, tokens_a_minute=100)
        process.admit(call, [A])
        process.answered(call, A, 5)
    assert admitted(process, a_call(60, tokens_a_minute=100)) == 60
    assert world.writes() <= 10


def test_what_it_took_more_is_not_free(world: World) -> None:
    process = world.process()
    call = a_call(10, tokens_a_minute=100)
    process.admit(call, [A])
    process.answered(call, A, 90)
    assert admitted(process, a_call(11, tokens_a_minute=100)) == 60


def test_a_process_that_saw_a_key_full_does_not_ask_again(world: World) -> None:
    process = world.process()
    process.admit(a_call(requests_a_minute=1), [A])
    before = world.writes()
    for _ in range(3):
        assert admitted(process, a_call(requests_a_minute=1)) == 60
    assert world.writes() == before


def test_the_key_with_room_is_taken(world: World) -> None:
    one, other = world.process(), world.process()
    found = [admitted(p, a_call(requests_a_minute=2), A, B) for p in (one, other, one, other, one, other)]
    assert found == ["a", "a", "b", "b", 60, 60]


def test_keys_of_the_same_value_share_their_minute(world: World) -> None:
    process = world.process()
    mine, theirs = ProviderKey("mine", SecretStr("sk-1")), ProviderKey("theirs", SecretStr("sk-1"))
    assert admitted(process, a_call(requests_a_minute=1), mine) == "mine"
    assert admitted(process, a_call(requests_a_minute=1), theirs) == 60


def test_providers_do_not_share_theirs(world: World) -> None:
    process, call = world.process(), a_call(requests_a_minute=1)
    other = PlannedCall(call.entry.model_copy(update={"name": "other"}), "other/llama", 1, "run_1:1")
    assert admitted(process, call) == "a"
    assert admitted(process, other) == "a"


def test_no_more_than_the_limit_get_in_at_once(world: World) -> None:
    processes = [world.process() for _ in range(24)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda one: admitted(one, a_call(requests_a_minute=7)), processes))
    assert found.count("a") == 7
    assert found.count(60) == 17


def test_a_key_that_was_refused_comes_last_for_all(world: World) -> None:
    one, other = world.process(), world.process()
    call = a_call()
    one.refused(call, A, of_model=False)
    assert admitted(one, a_call(), A, B) == "b"
    assert admitted(other, a_call(model="house/phi"), A, B) == "b"
    assert admitted(other, a_call(), A) == "a", "where there is no other, it is tried again"
    world.clock.forward(REFUSED_S + 5)
    assert admitted(other, a_call(), A, B) == "a"


def test_a_key_that_may_not_use_one_model_is_good_for_others(world: World) -> None:
    one, other = world.process(), world.process()
    one.refused(a_call(), A, of_model=True)
    assert admitted(other, a_call(), A, B) == "b"
    assert admitted(other, a_call(model="house/phi"), A, B) == "a"


def test_a_key_that_was_replaced_under_its_name_is_another(world: World) -> None:
    process = world.process()
    process.refused(a_call(), A, of_model=False)
    anew = ProviderKey("a", SecretStr("sk-new"))
    assert process.admit(a_call(), [anew, B]) == anew


def test_what_the_provider_throttles_is_left_to_the_other_keys(world: World) -> None:
    one, other = world.process(), world.process()
    one.throttled(a_call(), A, 20)
    assert admitted(other, a_call(), A, B) == "b"
    assert admitted(other, a_call(), A) == 20
    assert admitted(other, a_call(model="house/phi"), A) == "a"
    world.clock.forward(20)
    assert admitted(other, a_call(), A) == "a"


def test_keys_that_are_set_aside_are_forgotten_and_never_more_than_so_many(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    process = world.process()
    for number in range(MOST_ASIDE + 5):
        process.refused(a_call(), a_key(str(number)), of_model=False)
    assert len(world.store.health("house").aside) == MOST_ASIDE
    assert "no more keys" in caplog.text
    world.clock.forward(REFUSED_S + 1)
    process.refused(a_call(), A, of_model=False)
    assert len(world.store.health("house").aside) == 1


def test_no_words_of_a_caller_become_keys_of_the_table(world: World) -> None:
    process = world.process()
    process.throttled(a_call(model="x" * 10_000), A, 20)
    (subject,) = world.store.health("house").aside
    assert len(subject) < 60
    assert A.value.get_secret_value() not in subject


def test_a_provider_that_takes_no_key_is_counted_too(world: World) -> None:
    bedrock = ProviderEntry(name="bedrock", kind="bedrock", requests_per_minute=1)
    process = world.process()
    assert process.admit(PlannedCall(bedrock, "m", 1, "run_1:1"), ()) == OWN_ROLE
    with pytest.raises(ProviderThrottled):
        process.admit(PlannedCall(bedrock, "m", 1, "run_1:2"), ())


REFUSAL = "User: x is not authorized to perform: dynamodb:UpdateItem on resource: limits"


@pytest.mark.parametrize("world", ["aws"], indirect=True)
def test_a_note_that_fails_loses_no_reply_and_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": REFUSAL}}, "UpdateItem")

    process, call = world.process(), a_call()
    process.failed(call)
    monkeypatch.setattr(clients.client("dynamodb"), "update_item", refused)
    process.answered(call, A, 1)
    process.failed(call)
    process.throttled(call, A, None)
    process.refused(call, A, of_model=True)
    assert caplog.text.count(REFUSAL) == 4
