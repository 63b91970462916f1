"""When a provider is left alone, in both worlds, as several processes see it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from stepward.adapters.provider_health import FAILURES, HEALTH_KEPT_S, PROBE_S, RECOVERY_S, WINDOW_S
from stepward.domain.errors import ProviderThrottled
from stepward.ports.providers import PlannedCall
from tests.contract.provider_world import A, World, a_call, admitted, worlds


@pytest.fixture(params=["memory", "aws"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from worlds(request.param)


def fail(world: World, times: int = FAILURES, call: PlannedCall | None = None) -> None:
    """Let so many calls fail, each in a process of its own."""
    for _ in range(times):
        world.process().failed(call or a_call())


def is_open(world: World) -> bool:
    return admitted(world.process(), a_call()) != "a"


def test_calls_that_fail_in_a_row_shut_the_door_for_all(world: World) -> None:
    fail(world, FAILURES - 1)
    assert not is_open(world)
    fail(world, 1)
    assert admitted(world.process(), a_call()) == RECOVERY_S


def test_what_is_told_names_the_provider_and_when_to_come_again(world: World) -> None:
    fail(world)
    world.clock.forward(10.5)
    with pytest.raises(ProviderThrottled, match=r"'house' failed lately.*try again in 20 s") as told:
        world.process().admit(a_call(), [A])
    assert told.value.retry_after_s == RECOVERY_S - 10


def test_one_that_goes_well_begins_the_count_anew(world: World) -> None:
    for _ in range(3):
        fail(world, FAILURES - 1)
        world.process().answered(a_call(), A, 1)
    assert not is_open(world)


def test_a_success_is_written_only_where_something_failed(world: World) -> None:
    process = world.process()
    process.answered(a_call(), A, 1)
    assert world.writes() == 0
    fail(world, 1)
    world.clock.forward(HEALTH_KEPT_S)
    before = world.writes()
    for _ in range(3):
        process.answered(a_call(), A, 1)
    assert world.writes() == before + 1


def test_failures_that_lie_far_apart_do_not_count(world: World) -> None:
    for _ in range(2 * FAILURES):
        fail(world, 1)
        world.clock.forward(WINDOW_S / (FAILURES - 1))
    assert not is_open(world)


def test_attempts_at_one_call_count_once_in_whatever_process(world: World) -> None:
    fail(world, 3 * FAILURES, call=a_call(name="run_1:7"))
    assert not is_open(world)
    fail(world, FAILURES - 1)
    assert is_open(world)


def test_a_process_that_has_not_heard_of_it_hears_in_five_seconds(world: World) -> None:
    process = world.process()
    assert admitted(process, a_call()) == "a"
    fail(world)
    assert admitted(process, a_call()) == "a"
    world.clock.forward(HEALTH_KEPT_S)
    assert admitted(process, a_call()) == RECOVERY_S - HEALTH_KEPT_S


def test_one_tries_while_the_others_wait(world: World) -> None:
    fail(world)
    world.clock.forward(RECOVERY_S)
    one, other = world.process(), world.process()
    assert admitted(one, a_call()) == "a"
    assert admitted(other, a_call()) == HEALTH_KEPT_S
    one.answered(a_call(), A, 1)
    world.clock.forward(HEALTH_KEPT_S)
    assert admitted(other, a_call()) == "a"
    assert world.store.health("house").has_no_failures


def test_it_stays_shut_when_the_one_that_tries_fails(world: World) -> None:
    fail(world)
    world.clock.forward(RECOVERY_S)
    one, call = world.process(), a_call()
    assert admitted(one, call) == "a"
    one.failed(call)
    assert admitted(world.process(), a_call()) == RECOVERY_S
    world.clock.forward(RECOVERY_S)
    assert not is_open(world)


def test_one_that_dies_over_its_try_is_followed_by_another(world: World) -> None:
    fail(world)
    world.clock.forward(RECOVERY_S)
    assert not is_open(world)
    assert is_open(world)
    world.clock.forward(PROBE_S)
    assert not is_open(world)


def test_who_read_that_it_is_shut_finds_that_it_is_not_any_more(world: World) -> None:
    fail(world)
    late = world.process()
    world.clock.forward(RECOVERY_S - 1)
    assert admitted(late, a_call()) == 1
    world.clock.forward(1)
    one = world.process()
    assert admitted(one, a_call()) == "a"
    one.answered(a_call(), A, 1)
    assert admitted(late, a_call()) == "a"


def test_one_that_began_before_does_not_open_it(world: World) -> None:
    slow = world.process()
    slow.admit(a_call(), [A])
    fail(world)
    world.clock.forward(HEALTH_KEPT_S)
    slow.answered(a_call(), A, 1)
    assert is_open(world)


def test_one_that_began_before_and_fails_does_not_keep_it_shut_for_longer(world: World) -> None:
    fail(world)
    world.clock.forward(10)
    fail(world, 2)
    assert admitted(world.process(), a_call()) == RECOVERY_S - 10


def test_a_provider_that_is_left_alone_takes_no_room_of_its_minute(world: World) -> None:
    fail(world)
    before = world.writes()
    assert admitted(world.process(), a_call(requests_a_minute=1)) == RECOVERY_S
    assert world.writes() == before


def test_providers_are_left_alone_each_for_itself(world: World) -> None:
    fail(world)
    call = a_call()
    other = PlannedCall(call.entry.model_copy(update={"name": "other"}), "other/llama", 1, "run_1:1")
    assert admitted(world.process(), other) == "a"


def test_many_that_fail_at_once_shut_it_once(world: World) -> None:
    processes = [world.process() for _ in range(16)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: one.failed(a_call()), processes))
    assert world.store.health("house").open_until_s == int(world.clock.now().timestamp()) + RECOVERY_S


def test_of_many_at_once_one_tries(world: World) -> None:
    fail(world)
    world.clock.forward(RECOVERY_S)
    processes = [world.process() for _ in range(16)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda one: admitted(one, a_call()), processes))
    assert found.count("a") == 1


def test_successes_and_failures_at_once_leave_a_count_that_is_right(world: World) -> None:
    fail(world, FAILURES - 1)
    good, bad = world.process(), world.process()
    for process in (good, bad):
        process.admit(a_call(), [A])
    good.answered(a_call(), A, 1)
    bad.failed(a_call())
    assert len(world.store.health("house").failed) == 1
    assert not is_open(world)
