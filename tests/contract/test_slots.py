"""What every runtime state promises of slots and of those that find none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import BudgetExceeded
from stepward.domain.run_queue import Draw, Slot
from stepward.domain.runs import Closing, RunStatus, Totals
from stepward.ports.run_queue import SlotLimits
from stepward.ports.runs import IdempotencyKey, Settlement
from tests.support.builders import LATER, a_created, a_key, a_new_run


def a_repeat() -> IdempotencyKey:
    return IdempotencyKey(principal="tester", key="k1", body_sha256="one", expires_at=2_000_000_000)


def test_a_run_in_line_that_is_asked_for_again_is_still_in_line(ports: Any) -> None:
    ports.runtime.start(a_new_run(1, active=1))
    ports.runtime.start(a_new_run(2, active=1, idempotency=a_repeat()))
    again = ports.runtime.start(a_new_run(3, active=1, idempotency=a_repeat()))
    assert (again.head.run, again.head.status) == (a_key(2).run, RunStatus.PENDING)
    assert (again.is_new, again.queued) == (False, True)


def started(ports: Any, run: int, tenant: TenantLimits, account: AccountLimits, **head: Any) -> Any:
    return ports.runtime.start(replace(a_new_run(run, **head), limits=SlotLimits(tenant, account)))


@pytest.mark.parametrize("shards", [2, 4, 64])
def test_more_counters_than_slots_give_no_more_slots_and_lose_none(ports: Any, shards: int) -> None:
    tenant, account = TenantLimits(active=2, shards=shards), AccountLimits(active=100, shards=shards)
    outcomes = [started(ports, run, tenant, account) for run in range(1, 30)]
    assert ports.run_queue.count("acme").active == sum(not one.queued for one in outcomes)
    assert 1 <= ports.run_queue.count("acme").active <= 2


def closed(ports: Any, run: int) -> Any:
    end = Closing(status=RunStatus.COMPLETED, ended_at=LATER, ended_seq=3, error=None, totals=Totals())
    return ports.runtime.close(a_key(run), Settlement(end, slot=Slot()))


def test_whoever_asked_last_is_told_too(ports: Any) -> None:
    """One process gives two slots back; between the two a tenant that has none of them asks to be told."""
    tenant, account = TenantLimits(active=2), AccountLimits(active=2)
    for run in (1, 2):
        started(ports, run, tenant, account)
    ports.run_queue.request_wake_up("acme", tenant, None)
    first = closed(ports, 1)
    assert (first.tenant_waits, first.account_waits) == (True, False)
    ports.run_queue.request_wake_up("other", tenant, account)
    second = closed(ports, 2)
    assert (second.tenant_waits, second.account_waits) == (True, True)


@pytest.mark.parametrize("read", [1, 3, 200])
def test_tenants_that_wait_are_named_in_turn(ports: Any, read: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepward.adapters.aws.run_queue._TENANTS_READ", read)
    for tenant in ("c", "a", "d", "b"):
        ports.run_queue.request_wake_up(tenant, TenantLimits(), None)
    assert ports.run_queue.waiting_tenants(3) == ["a", "b", "c"]
    assert ports.run_queue.waiting_tenants(3, after="b") == ["c", "d", "a"]
    assert ports.run_queue.waiting_tenants(9, after="b") == ["c", "d", "a", "b"]
    assert ports.run_queue.waiting_tenants(9, after="bb") == ["c", "d", "a", "b"]
    assert ports.run_queue.waiting_tenants(2, after="z") == ["a", "b"]


@pytest.mark.parametrize(("active", "queued"), [(1, True), (2, False)])
def test_an_empty_budget_refuses_who_would_draw_and_nobody_who_waits(
    ports: Any, active: int, queued: bool
) -> None:
    draw = Draw(usd_micros=10, budgets=("day##2026-11-21",), limits_usd_micros=(10,))
    ports.runtime.start(a_new_run(1, active=active, draw=draw))
    if queued:
        assert ports.runtime.start(a_new_run(2, active=active, draw=draw)).queued
        return
    with pytest.raises(
        BudgetExceeded, match=r"^the day's budget \(2026-11-21\) has less left than the "
    ) as refused:
        ports.runtime.start(a_new_run(2, active=active, draw=draw))
    assert "#" not in f"{refused.value} {refused.value.fix}"
    assert ports.runtime.head(a_key(2)) is None


@pytest.mark.parametrize("charged", [True, False])
def test_the_line_keeps_whether_a_run_is_charged(ports: Any, charged: bool) -> None:
    ports.runtime.start(a_new_run(1, active=1))
    ports.runtime.start(replace(a_new_run(2, active=1), first=a_created(charged=charged)))
    (waiting,) = ports.run_queue.first("acme", 10)
    assert (waiting.run, waiting.charged) == (a_key(2).run, charged)
