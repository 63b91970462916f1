"""What circuit breakers promise, in both worlds and with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.circuit_breaker import base
from aws_lambda_powertools.utilities.circuit_breaker.persistence import base as stores
from aws_lambda_powertools.utilities.circuit_breaker.persistence import dynamodb
from botocore.exceptions import ClientError

from infra.tables import TABLES
from stepward.adapters.aws import circuits as circuits_on_aws
from stepward.adapters.aws import clients
from stepward.adapters.aws.circuits import dynamo_circuits
from stepward.adapters.circuits import FAILURES, RECOVERY_S, PowertoolsCircuits
from stepward.adapters.memory import circuits as in_memory
from stepward.adapters.memory.circuits import memory_circuits
from stepward.domain.errors import CircuitOpen, ToolFailed, ToolUnavailable
from tests.contract.conftest import _create
from tests.support.mocked_aws import mocked_aws

CALLS = count()
SHOPS = (f"https://shop-{number}.example" for number in count())


class Clock:
    """Stands where the library reads the time."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self, _zone: Any = None) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (base, stores, dynamodb):
        monkeypatch.setattr(module, "dt", SimpleNamespace(datetime=clock))
    monkeypatch.setattr(in_memory, "datetime", clock)
    return clock


@pytest.fixture(params=["memory", "aws"])
def circuits(request: pytest.FixtureRequest, clock: Clock) -> Iterator[PowertoolsCircuits]:
    if request.param == "memory":
        yield memory_circuits()
        return
    with mocked_aws():
        _create(TABLES["limits"])
        yield dynamo_circuits("limits")


@pytest.fixture
def shop() -> str:
    return next(SHOPS)


def fail(error: Exception) -> Any:
    raise error


def a_call() -> str:
    return f"run_1:call_{next(CALLS)}"


def break_it(circuits: PowertoolsCircuits, shop: str, tenant: str = "acme", calls: int = FAILURES) -> None:
    for _ in range(calls):
        with pytest.raises(ToolUnavailable):
            circuits.guard(tenant, shop, a_call(), lambda: fail(ToolUnavailable("busy")))


def test_it_opens_after_failures_in_a_row_and_nobody_is_asked(
    circuits: PowertoolsCircuits, shop: str
) -> None:
    break_it(circuits, shop)
    with pytest.raises(CircuitOpen, match=shop):
        circuits.guard("acme", shop, a_call(), lambda: fail(AssertionError("asked")))


def test_one_that_goes_well_begins_the_count_anew(circuits: PowertoolsCircuits, shop: str) -> None:
    for _ in range(3):
        for _ in range(FAILURES - 1):
            with pytest.raises(ToolUnavailable):
                circuits.guard("acme", shop, a_call(), lambda: fail(ToolUnavailable("busy")))
        assert circuits.guard("acme", shop, a_call(), lambda: "well") == "well"


def test_what_would_fail_anywhere_does_not_count(circuits: PowertoolsCircuits, shop: str) -> None:
    for _ in range(FAILURES + 1):
        with pytest.raises(ToolFailed):
            circuits.guard("acme", shop, a_call(), lambda: fail(ToolFailed("404")))


def test_it_closes_when_a_later_try_goes_well(circuits: PowertoolsCircuits, shop: str, clock: Clock) -> None:
    break_it(circuits, shop)
    clock.moment += timedelta(seconds=RECOVERY_S + 1)
    assert circuits.guard("acme", shop, a_call(), lambda: "well") == "well"
    assert circuits.guard("acme", shop, a_call(), lambda: "well") == "well"


def test_it_stays_open_when_a_later_try_fails(circuits: PowertoolsCircuits, shop: str, clock: Clock) -> None:
    break_it(circuits, shop)
    clock.moment += timedelta(seconds=RECOVERY_S + 1)
    with pytest.raises(ToolUnavailable):
        circuits.guard("acme", shop, a_call(), lambda: fail(ToolUnavailable("busy still")))
    with pytest.raises(CircuitOpen):
        circuits.guard("acme", shop, a_call(), lambda: "well")


def test_only_one_tries_at_a_time(circuits: PowertoolsCircuits, shop: str, clock: Clock) -> None:
    break_it(circuits, shop)
    clock.moment += timedelta(seconds=RECOVERY_S + 1)
    other = PowertoolsCircuits(circuits.store)

    def probe() -> str:
        from threading import Thread

        refused: list[bool] = []

        def ask() -> None:
            with pytest.raises(CircuitOpen):
                other.guard("acme", shop, a_call(), lambda: "second")
            refused.append(True)

        thread = Thread(target=ask)
        thread.start()
        thread.join()
        return "refused" if refused else "asked"

    assert circuits.guard("acme", shop, a_call(), probe) == "refused"


def test_a_tenants_failures_are_its_own(circuits: PowertoolsCircuits, shop: str) -> None:
    break_it(circuits, shop)
    assert circuits.guard("other", shop, a_call(), lambda: "well") == "well"


def test_failures_are_counted_by_a_process_and_heeded_by_all(
    clock: Clock, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mocked_aws():
        _create(TABLES["limits"])
        for calls in (FAILURES - 1, FAILURES - 1, FAILURES):
            monkeypatch.setattr(base, "_LOCAL_FAILURES", {})  # what a process that begins knows
            break_it(dynamo_circuits("limits"), shop, calls=calls)
        monkeypatch.setattr(base, "_LOCAL_FAILURES", {})
        with pytest.raises(CircuitOpen):
            dynamo_circuits("limits").guard("acme", shop, a_call(), lambda: "asked")


def test_attempts_at_one_call_count_once(circuits: PowertoolsCircuits, shop: str) -> None:
    mine = a_call()
    for _ in range(3 * FAILURES):
        with pytest.raises(ToolUnavailable, match="busy"):
            circuits.guard("acme", shop, mine, lambda: fail(ToolUnavailable("busy")))
    assert circuits.guard("acme", shop, mine, lambda: "well") == "well"


def test_others_failures_open_it_for_a_call_that_tries_again(circuits: PowertoolsCircuits, shop: str) -> None:
    mine = a_call()
    for call in (mine, mine, mine, *(a_call() for _ in range(FAILURES - 1))):
        with pytest.raises(ToolUnavailable):
            circuits.guard("acme", shop, call, lambda: fail(ToolUnavailable("busy")))
    with pytest.raises(CircuitOpen):
        circuits.guard("acme", shop, mine, lambda: "well")


def test_a_call_that_failed_before_keeps_it_open_when_it_tries_whether_all_is_well(
    circuits: PowertoolsCircuits, shop: str, clock: Clock
) -> None:
    mine = a_call()
    with pytest.raises(ToolUnavailable):
        circuits.guard("acme", shop, mine, lambda: fail(ToolUnavailable("busy")))
    break_it(circuits, shop, calls=FAILURES - 1)
    clock.moment += timedelta(seconds=RECOVERY_S + 1)
    with pytest.raises(ToolUnavailable):
        circuits.guard("acme", shop, mine, lambda: fail(ToolUnavailable("busy still")))
    with pytest.raises(CircuitOpen):
        circuits.guard("acme", shop, a_call(), lambda: "well")


REFUSAL = "User: x is not authorized to perform: dynamodb:PutItem on resource: limits"


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the store refuse one of its operations from now on."""

    def refuse(operation: str) -> None:
        def refused(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": REFUSAL}}, operation)

        monkeypatch.setattr(clients.client("dynamodb"), operation, refused)

    return refuse


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Read our own log: the library's reaches no log of a function."""
    return [record.getMessage() for record in caplog.records if record.name == circuits_on_aws.__name__]


@pytest.mark.parametrize("circuits", ["aws"], indirect=True)
@pytest.mark.parametrize("operation", ["get_item", "put_item"])
def test_a_store_that_refuses_lets_calls_pass_and_is_told_of(
    circuits: PowertoolsCircuits,
    shop: str,
    operation: str,
    refuse: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    refuse(operation)
    assert circuits.guard("acme", shop, a_call(), lambda: "well") == "well"
    break_it(circuits, shop)
    assert said(caplog)
    assert all(REFUSAL in message and shop in message for message in said(caplog))


@pytest.mark.parametrize("circuits", ["aws"], indirect=True)
def test_a_store_that_refuses_a_try_leaves_the_far_end_alone(
    circuits: PowertoolsCircuits,
    shop: str,
    clock: Clock,
    refuse: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    break_it(circuits, shop)
    clock.moment += timedelta(seconds=RECOVERY_S + 1)
    refuse("put_item")
    with pytest.raises(CircuitOpen, match=shop):
        circuits.guard("acme", shop, a_call(), lambda: fail(AssertionError("asked")))
    assert any(REFUSAL in message for message in said(caplog))
