"""Runs without a slot stand in line, and are served by priority, then age."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.dispatch import serve_each
from stepward.agents.machine_messages import WaitRequest
from stepward.agents.reconcile import ReconcileRuns
from stepward.agents.start import Start
from stepward.agents.waits import OpenWait
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import Bug
from stepward.domain.runs import RunKey, RunStatus
from stepward.ports.run_queue import Freed
from tests.support.builders import an_agent, an_agent_body
from tests.support.driver import ACME, World


def a_world(active: int = 1, account: int = 100) -> World:
    world = World()
    world.limits.change("acme", TenantLimits(active=active), 0)
    world.limits.change_account(AccountLimits(active=account))
    world.register(an_agent_body())
    return world


def start(world: World, **body: Any) -> RunKey:
    world.clock.forward(1)
    return Start(world.ports, world.registry)(ACME, "helper", {"input": "hello", **body}, None)[0].key


def status(world: World, key: RunKey) -> RunStatus:
    head = world.runtime.head(key)
    assert head is not None
    return head.status


def test_a_run_without_a_slot_stands_in_line_and_is_started_when_one_is_free() -> None:
    world = a_world()
    first, second = start(world), start(world)
    assert (status(world, first), status(world, second)) == (RunStatus.RUNNING, RunStatus.PENDING)
    assert list(world.machine.started) == [f"{first.run}.1"]
    assert world.show(second)["waiting_for"].items() >= {"what": "slot", "place": "normal"}.items()
    assert world.wake_ups.sent == ["acme"]
    assert world.serve() == 0
    world.wake_ups.sent.clear()
    world.finish(first)
    assert world.wake_ups.sent == ["acme"]
    assert world.serve() == 1
    assert list(world.machine.started) == [f"{first.run}.1", f"{second.run}.1"]
    assert world.finish(second)["status"] == "COMPLETED"
    assert world.run_queue.slots == {}


def test_the_line_is_served_by_priority_then_age() -> None:
    world = a_world()
    first = start(world)
    wanted = {p: [start(world, priority=p) for _ in range(2)] for p in ("low", "normal", "high")}
    assert world.run_queue.view("acme").lengths == {"resume": 0, "high": 2, "normal": 2, "low": 2}
    world.serve()
    world.finish(first)
    served = []
    for _ in range(6):
        assert world.serve() == 1
        served.append(next(iter(world.run_queue.slots)))
        world.finish(served[-1])
    assert served == [*wanted["high"], *wanted["normal"], *wanted["low"]]
    assert world.serve() == 0


def test_a_newcomer_does_not_go_past_those_in_line() -> None:
    world = a_world()
    first, second = start(world), start(world)
    world.serve()
    world.finish(first)
    third = start(world)
    assert status(world, third) is RunStatus.PENDING
    assert world.serve() == 1
    assert status(world, second) is RunStatus.RUNNING


def test_nobody_goes_past_the_limit_of_the_account_and_all_tenants_are_told() -> None:
    world = a_world(active=5, account=2)
    runs = [start(world) for _ in range(4)]
    assert [status(world, run) for run in runs].count(RunStatus.RUNNING) == 2
    assert world.serve() == 0
    assert world.run_queue.waiting_tenants(10) == ["acme"]
    world.wake_ups.sent.clear()
    world.finish(runs[0])
    assert "acme" in world.wake_ups.sent
    assert world.serve() == 1


def test_an_empty_line_takes_its_flags_away() -> None:
    world = a_world()
    first, second = start(world), start(world)
    world.serve()
    world.finish(first)
    world.serve()
    world.finish(second)
    assert world.serve() == 0
    world.wake_ups.sent.clear()
    third = start(world)
    assert status(world, third) is RunStatus.RUNNING
    world.finish(third)
    assert world.wake_ups.sent == []


def test_a_run_that_is_cancelled_in_line_leaves_it() -> None:
    world = a_world()
    first, second = start(world), start(world)
    world.cancel(second)
    assert world.run_queue.positions == {}
    assert world.show(second)["status"] == "CANCELLED"
    world.finish(first)
    assert world.serve() == 0
    assert world.run_queue.slots == {}


def test_the_time_in_line_does_not_count_towards_the_deadline() -> None:
    world = a_world()
    first, second = start(world), start(world)
    world.finish(first)
    world.clock.forward(10_000)
    assert world.serve() == 1
    assert world.finish(second)["status"] == "COMPLETED"


def test_a_lost_nudge_is_made_up_by_the_janitor() -> None:
    world = a_world()
    first, second = start(world), start(world)
    world.finish(first)
    world.wake_ups.sent.clear()
    world.clock.forward(31)
    assert ReconcileRuns(world.ports)()["nudged"] == 1
    assert world.wake_ups.sent == ["acme"]
    assert world.serve() == 1
    assert status(world, second) is RunStatus.RUNNING


def test_a_run_that_was_admitted_and_never_started_is_started() -> None:
    world = a_world()
    first, second = start(world), start(world)
    world.finish(first)
    world.machine.started.clear()
    start_machine, world.machine.start = world.machine.start, lambda *_: None  # type: ignore[method-assign]
    assert world.serve() == 1
    world.machine.start = start_machine  # type: ignore[method-assign]
    world.clock.forward(31)
    assert ReconcileRuns(world.ports)()["started"] == 1
    assert list(world.machine.started) == [f"{second.run}.1"]


def test_of_more_tenants_than_are_told_at_once_everybody_is_told_in_turn() -> None:
    world = a_world()
    tenants = [f"t{number:02d}" for number in range(40)]
    for tenant in tenants:
        world.run_queue.request_wake_up(tenant, TenantLimits(), AccountLimits())
    for tenant in tenants:
        world.ports.wake_waiting(Freed(done=True, account_waits=True), tenant)
    assert set(world.wake_ups.sent) == set(tenants)


def test_a_line_that_cannot_be_served_keeps_no_other_tenant_waiting() -> None:
    served = []

    def serve(tenant: str, most: int | None) -> int:
        if tenant == "broken":
            raise Bug("its line cannot be read.")
        served.append((tenant, most))
        return 1

    with pytest.raises(Bug):
        serve_each(serve, {"acme": 1, "broken": None, "globex": None})
    assert served == [("acme", 1), ("globex", None)]
    assert serve_each(serve, {"acme": 1, "globex": 2}) == 2


def test_a_wait_that_is_opened_late_by_a_try_that_was_given_up_takes_no_wake_away() -> None:
    world = a_world()
    asks = [{"agent": "helper", "name": "ask_child"}]
    ask = {"tool": "ask_child", "arguments": {"input": "x"}}
    world.register(
        an_agent_body(id="asker", tools=asks, rehearsal={"turns": [{"call": [ask]}, {"say": "!"}]})
    )
    key = world.start("asker")
    answer = world.advance(key)
    world.wait(key, answer, "call_1_1")
    item = world.journal.call(key, "call_1_1")
    assert item is not None
    world.finish(RunKey(tenant="acme", run=str(item.started_by)))
    other = start(world)
    waits = world.advance(key, awaited=answer.seq)
    opened = [
        open_slot_wait(world, key, waits, token, tried) for token, tried in (("second", 1), ("first", 0))
    ]
    assert opened == ["open", "given up"]
    world.finish(other)
    assert world.serve() == 1
    assert world.machine.answered[-1] == "second"


def open_slot_wait(world: World, key: RunKey, answer: Any, token: str, tried: int) -> str:
    request = WaitRequest(
        v=1, tenant=key.tenant, run=key.run, agent=answer.agent, version=answer.version,
        call="slot", token=token, entered="2026-01-01T00:00:00.000Z", tried=tried,
    )  # fmt: skip
    return OpenWait(world.ports, lambda *_: an_agent(), {})(request)
