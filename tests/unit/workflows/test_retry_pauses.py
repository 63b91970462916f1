"""Pauses between the attempts at a task: who makes them, how long they are, and what a server may ask for."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from stepward.adapters.memory.circuits import memory_circuits
from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.retries import Retry
from stepward.tools import http_request
from stepward.tools.base import ToolContext
from stepward.tools.egress import Incoming, Outgoing
from stepward.workflows.compiler.states import retriers
from tests.support.workflow_world import WorkflowWorld

SHOPS = count()
IN_PROCESS = {"strategy": "linear", "max_attempts": 3, "base_s": 1}
BY_MACHINE = {"strategy": "exponential", "max_attempts": 3, "base_s": 3, "max_s": 60}


class ShopWorld(WorkflowWorld):
    """A shop of its own answers what a test says, then well; its circuit is shared by all tasks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Incoming) -> None:
        super().__init__()
        self.answers = list(answers)
        self.circuits = memory_circuits()
        self.shop = f"https://pauses-{next(SHOPS)}.example"
        monkeypatch.setattr(http_request, "send", self._send)

    def _send(self, request: Outgoing) -> Incoming:
        del request
        return self.answers.pop(0) if self.answers else Incoming(200, "application/json", b'{"ok": true}')

    def _tools(self, tenant: str, call_id: str) -> ToolContext:
        return ToolContext(tenant, call_id, MemoryDatasets(), (self.shop,), circuits=self.circuits)

    def a_request(self, kind: str, rule: Any, name: str = "call") -> dict[str, Any]:
        if kind == "webhook":
            return {"id": name, "type": "webhook", "url": self.shop, "method": "GET", "retry": rule}
        return {
            "id": name,
            "type": "tool",
            "tool": "http_request",
            "config": {"url": self.shop},
            "retry": rule,
        }


def busy(status: int, asked_s: float | None = None) -> Incoming:
    return Incoming(status, "text/plain", b"later", asked_s)


@pytest.mark.parametrize("kind", ["tool", "webhook"])
@pytest.mark.parametrize(
    ("rule", "pauses", "machine_s"),
    [
        (IN_PROCESS, [10, 10], 0),
        (BY_MACHINE, [7, 4], 3 + 6),
        ({**BY_MACHINE, "jitter": True}, [10, 10], None),
    ],
)
def test_a_server_that_asks_for_time_is_not_asked_sooner(
    kind: str,
    rule: dict[str, Any],
    pauses: list[float],
    machine_s: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = ShopWorld(monkeypatch, busy(503, 10), busy(429, 10))
    ran = world.run([world.a_request(kind, rule)])
    assert (ran.status, world.pauses) == ("COMPLETED", pauses)
    assert machine_s is None or world.loop.now_s == pytest.approx(machine_s)


@pytest.mark.parametrize("kind", ["tool", "webhook"])
@pytest.mark.parametrize("rule", [IN_PROCESS, BY_MACHINE])
def test_a_server_that_asks_for_more_time_than_there_is_fails_the_task(
    kind: str, rule: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ShopWorld(monkeypatch, busy(429, 900))
    ran = world.run([world.a_request(kind, rule)])
    assert (ran.status, ran.error("call"), world.pauses) == ("FAILED", "ToolUnavailable", [])
    assert "called again in 900 s" in str(ran.records["call"].error)


@pytest.mark.parametrize(
    "rule", [{"strategy": "immediate", "max_attempts": 10}, {**BY_MACHINE, "max_attempts": 10}]
)
def test_a_tasks_own_attempts_do_not_shut_the_door_on_it(rule: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ShopWorld(monkeypatch, *[busy(503)] * 8)
    assert world.run([world.a_request("tool", rule)]).status == "COMPLETED"


def test_the_failures_of_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ShopWorld(monkeypatch, *[busy(503)] * 5)
    world.register([world.a_request("tool", {"strategy": "none"})])
    errors = [world.finish(world.start()).error("call") for _ in range(6)]
    assert errors == ["ToolUnavailable"] * 5 + ["CircuitOpen"]


@pytest.mark.parametrize(
    ("rule", "retrier"),
    [
        ({"base_s": 5, "max_s": 60}, {"IntervalSeconds": 5, "MaxDelaySeconds": 60}),
        ({"base_s": 5, "max_s": 60, "jitter": True}, {"IntervalSeconds": 5, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}),
        ({"base_s": 60, "max_s": 60}, {"IntervalSeconds": 60, "BackoffRate": 1}),
        ({"base_s": 60, "max_s": 20}, {"IntervalSeconds": 20, "BackoffRate": 1}),
        ({"base_s": 5, "exponent_base": 3, "max_s": 6}, {"IntervalSeconds": 5, "BackoffRate": 3, "MaxDelaySeconds": 6}),
        ({"strategy": "constant", "base_s": 5}, {"IntervalSeconds": 5, "BackoffRate": 1}),
    ],
)  # fmt: skip
def test_the_machine_keeps_to_the_rules_own_cap(rule: dict[str, Any], retrier: dict[str, Any]) -> None:
    made = retriers(Retry.model_validate({"strategy": "exponential", **rule}))
    assert made == [{"ErrorEquals": ["TaskRetry"], "MaxAttempts": 2, **retrier}]


@pytest.mark.parametrize(
    ("rule", "by_machine"),
    [
        ({"strategy": "exponential", "base_s": 2}, False),
        ({"strategy": "exponential", "base_s": 2.5}, True),
        (
            {"strategy": "exponential", "base_s": 2, "exponent_base": 10, "max_s": 120, "max_attempts": 10},
            True,
        ),
        ({"strategy": "linear", "base_s": 60}, False),
        ({"strategy": "immediate", "base_s": 60}, False),
    ],
)
def test_pauses_that_do_not_fit_into_a_function_are_made_by_the_machine(
    rule: dict[str, Any], by_machine: bool
) -> None:
    assert Retry.model_validate(rule).is_by_machine is by_machine


@pytest.mark.parametrize("strategy", ["constant", "exponential"])
@pytest.mark.parametrize(
    ("base_s", "exponent_base", "max_s"), [(3, 2, 60), (5, 3, 50), (4, 1, 9), (60, 2, 20)]
)
def test_a_machine_pauses_as_the_rule_says(
    strategy: str, base_s: int, exponent_base: int, max_s: int
) -> None:
    said = {"base_s": base_s, "exponent_base": exponent_base, "max_s": max_s, "max_attempts": 6}
    rule = Retry.model_validate({"strategy": strategy, **said})
    made = rule.machine_pauses
    uncapped = (made.first_s * made.factor ** (attempt - 1) for attempt in range(1, rule.attempts))
    capped = [pause if made.longest_s is None else min(pause, made.longest_s) for pause in uncapped]
    assert capped == [rule.pause_s(attempt) for attempt in range(1, rule.attempts)]
