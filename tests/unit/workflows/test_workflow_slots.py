"""A workflow's run holds a slot while it works and none while it waits: no run waits for a slot that its own caller holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepward.adapters.memory.costs import MemoryBudgets
from stepward.agents.budgets import refuse_used_up
from stepward.domain.budgets import AccountLimits, Budget, BudgetScope, TenantLimits
from stepward.domain.errors import BudgetExceeded
from stepward.domain.runs import RunKey
from stepward.ports.clock import iso
from stepward.ports.run_queue import NoSlot, SlotLimits
from stepward.workflows.runs.begin_run import AdmitRun
from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.reconcile import ReconcileWorkflows
from stepward.workflows.runs.slots import RunSlot
from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow
from tests.support.workflow_doubles import nobody, well
from tests.support.workflow_world import ACME, WorkflowWorld

HUMAN = {"id": "ask", "type": "human", "question": "?", "timeout_s": 10_000}
AGENT = {"id": "agent", "type": "agent", "agent": "helper", "with": {"input": 1}}


def t(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": name, "needs": needs, **more}


class Queueing:
    """A world with so many slots, whose queue is served whenever somebody asks for that."""

    def __init__(self, active: int = 1) -> None:
        self.world = WorkflowWorld()
        self.world.limits.change("acme", TenantLimits(active=active), 0)
        self.limits = SlotLimits(TenantLimits(active=active), AccountLimits())

    def serve(self) -> None:
        """Do what `dispatch` does about workflows, for every nudge that was sent."""
        while self.world.wake_ups.sent:
            self.world.wake_ups.sent.clear()
            for waiting in self.world.run_queue.first("acme", 100):
                if isinstance(AdmitRun(self.world.ports)(waiting, self.limits), NoSlot):
                    self.world.run_queue.request_wake_up("acme", self.limits.tenant, None)
                    break

    def settle(self, minutes: int = 30) -> None:
        """Let everything happen that can, second by second for a while, then a minute at a time."""
        for step_s in [1] * 60 + [60] * minutes:
            self.serve()
            self.go_on(step_s)

    def go_on(self, seconds: float) -> None:
        """Let all happen that happens within some seconds."""
        loop, until = self.world.loop, self.world.loop.now_s + seconds
        loop.run(until=lambda: loop._due[0][0] > until)
        loop.now_s = until

    def status(self, key: RunKey) -> str:
        head = self.world.runs.head(key)
        assert head is not None
        return head.status.value

    @property
    def count(self) -> tuple[int, int]:
        found = self.world.run_queue.count("acme")
        return found.active, found.parked


def test_runs_wait_for_a_slot_and_all_end() -> None:
    here = Queueing(active=2)
    here.world.duration_s = lambda path, at: 5.0
    here.world.register([t("a"), t("b", "a")])
    keys = [here.world.start() for _ in range(7)]
    assert [here.status(key) for key in keys] == ["RUNNING"] * 2 + ["PENDING"] * 5
    here.settle()
    assert {here.status(key) for key in keys} == {"COMPLETED"}
    assert (here.count, here.world.run_queue.most_active["acme"]) == ((0, 0), 2)


def test_a_run_that_waits_for_a_person_lets_others_run() -> None:
    here = Queueing()
    here.world.reach.delay_s = lambda place: 500.0
    here.world.register([t("a"), {**HUMAN, "needs": ["a"]}, t("b", "ask")])
    keys = [here.world.start() for _ in range(3)]
    here.settle()
    assert {here.status(key) for key in keys} == {"COMPLETED"}
    assert (here.count, len(here.world.reach.questions)) == ((0, 0), 3)


def test_a_waiting_run_is_shown_as_one() -> None:
    here = Queueing()
    here.world.reach.answers["ask"] = nobody
    here.world.register([HUMAN])
    key = here.world.start()
    here.settle()
    assert (here.status(key), here.count) == ("WAITING", (0, 1))


@pytest.mark.parametrize("child", ["agent", "subworkflow"])
def test_a_run_has_given_its_slot_back_before_it_starts_another(child: str) -> None:
    here = Queueing()
    here.world.register([t("inner")], id="below")
    task = AGENT if child == "agent" else {"id": "sub", "type": "subworkflow", "workflow": "below"}
    seen: list[tuple[int, int]] = []
    here.world.reach.answers["agent"] = lambda place, given: seen.append(here.count) or well(1)  # type: ignore[func-returns-value]
    here.world.register([task, t("after", task["id"])])
    keys = [here.world.start() for _ in range(4)]
    here.settle()
    assert {here.status(key) for key in keys} == {"COMPLETED"}
    assert here.count == (0, 0)
    assert all(active == 0 for active, _ in seen)


def test_children_side_by_side_keep_nobody_from_a_slot() -> None:
    here = Queueing()
    seen: list[tuple[int, int]] = []
    here.world.reach.answers |= {
        f"a{number}": lambda place, given: seen.append(here.count) or well(1)  # type: ignore[func-returns-value]
        for number in range(3)
    }
    here.world.reach.delay_s = lambda place: float(place.path[1:])
    asks = [{**AGENT, "id": f"a{number}"} for number in range(3)]
    ran = here.world.run([*asks, t("after", "a0"), t("end", "a1", "a2", "after")])
    assert (ran.status, here.count) == ("COMPLETED", (0, 0))
    assert [active for active, _ in seen] == [0, 0, 0]


def test_what_works_beside_a_wait_is_counted_while_it_works() -> None:
    here = Queueing()
    here.world.reach.answers["ask"] = nobody
    seen: list[tuple[int, int]] = []
    pay = {
        "id": "pay", "type": "tool", "tool": "lambda_function", "needs": ["a"],
        "config": {"function": "pay", "description": "Pays.", "effect": "none", "arguments": {"type": "object"}},
    }  # fmt: skip
    here.world.functions["pay"] = lambda event: seen.append(here.count) or "paid"  # type: ignore[func-returns-value]
    here.world.register([HUMAN, t("a"), pay])
    here.world.duration_s = lambda path, at: 0.0 if path == "ask" else 3.0
    key = here.world.start()
    here.settle()
    assert (seen, here.count, here.status(key)) == ([(1, 0)], (0, 1), "WAITING")


def test_a_caller_takes_the_slot_that_its_child_gave_back_before_the_queue_is_told() -> None:
    here = Queueing()
    here.world.duration_s = lambda path, at: 0.0 if path == "sub" else 3.0
    here.world.register([t("inner")], id="below")
    here.world.register([{"id": "sub", "type": "subworkflow", "workflow": "below"}, t("after", "sub")])
    keys = [here.world.start() for _ in range(4)]
    here.settle()
    assert {here.status(key) for key in keys} == {"COMPLETED"}
    assert (here.count, here.world.run_queue.most_active["acme"]) == ((0, 0), 1)


@pytest.mark.parametrize(("seconds", "parked"), [(30, 0), (31, 1)])
def test_a_long_wait_needs_no_slot(seconds: int, parked: int) -> None:
    here = Queueing()
    here.world.register([{"id": "rest", "type": "wait", "seconds": seconds}, t("b", "rest")])
    key = here.world.start()
    here.go_on(1)
    assert here.count == (1 - parked, parked)
    assert here.world.finish(key).status == "COMPLETED"
    assert here.count == (0, 0)


def test_rounds_that_waited_leave_nothing_behind() -> None:
    here = Queueing()
    rounds = {
        "id": "again", "type": "loop", "until": "{% $iteration = 2 %}", "max_iterations": 5, "tasks": [HUMAN, t("n", "ask")],
    }  # fmt: skip
    ran = here.world.run([rounds, t("end", "again")])
    assert (ran.status, here.count) == ("COMPLETED", (0, 0))
    assert here.world.store.slot_state(ran.key).waits == ()  # type: ignore[union-attr]


def test_time_in_the_queue_does_not_count() -> None:
    here = Queueing()
    here.world.duration_s = lambda path, at: 50.0
    here.world.register([t("a")], timeout_s=60)
    first, second = here.world.start(), here.world.start()
    here.world.finish(first)
    here.serve()
    head = here.world.runs.head(second)
    assert head is not None
    assert head.deadline_at == iso(here.world.loop.now() + timedelta(seconds=60))


@pytest.mark.parametrize("where", ["RUNNING", "PENDING", "WAITING"])
def test_a_cancel_gives_back_what_a_run_holds(where: str) -> None:
    here = Queueing()
    here.world.reach.answers["ask"] = nobody
    here.world.register([HUMAN])
    keys = [here.world.start(), here.world.start()]
    if where == "WAITING":
        here.go_on(1)
    key = keys[where == "PENDING"]
    assert here.status(key) == where
    here.world.cancel(key)
    assert (here.status(key), here.count[0]) == ("CANCELLED", int(where == "PENDING"))
    here.settle()
    here.world.cancel(keys[where != "PENDING"])
    assert (here.count, here.world.run_queue.positions) == ((0, 0), {})


def test_a_rerun_in_the_queue_takes_over_before_it_begins() -> None:
    here = Queueing()
    here.world.register([t("a"), t("bad", "a", output="{% $error('no') %}")])
    failed = here.world.start()
    here.world.finish(failed)
    held = here.world.start()
    start = StartWorkflow(here.world.ports, here.world.registry)
    again = RerunWorkflow(here.world.ports, start, here.world.registry)(ACME, failed.run).key
    assert here.status(again) == "PENDING"
    here.world.finish(held)
    here.settle()
    records = here.world.store.full_snapshot(again).records
    assert {str(task): record.taken_over for task, record in records.items()} == {"a": True, "bad": False}


def test_the_janitor_begins_what_was_admitted_and_never_began_and_nothing_that_waits() -> None:
    here = Queueing()
    here.world.register([t("a")])
    started: list[str] = []
    begin = here.world.machines.start
    here.world.machines.start = lambda head, *more, **named: started.append(head.run)  # type: ignore[method-assign,assignment]
    first, second = here.world.start(), here.world.start()
    here.world.loop.now_s += 60
    here.world.machines.start = begin  # type: ignore[method-assign]
    here.world.wake_ups.sent.clear()
    sweep = ReconcileWorkflows(here.world.ports, EndRun(here.world.ports, here.world._tell, _never))
    assert sweep()["workflows_started"] == 1
    assert (started, here.world.wake_ups.sent) == ([first.run], ["acme"])
    assert second.run not in {one.given["run"] for one in here.world.engine.executions.values()}


def test_a_used_up_budget_refuses_a_start() -> None:
    world = WorkflowWorld()
    world.register([t("a")])
    budgets = MemoryBudgets(world.run_queue.lock)
    day = Budget(scope=BudgetScope.DAY, limit_usd_micros=100)
    world.limits.change("acme", TenantLimits(budgets=(day,)), 0)
    start = StartWorkflow(
        world.ports,
        world.registry,
        lambda tenant: refuse_used_up(budgets, world.limits, world.loop, tenant),
    )
    start(ACME, "flow", {}, None)
    budgets.draw("acme", day.ref(world.loop.now()).item_key, 100, 100)
    with pytest.raises(BudgetExceeded, match=r"^the day's budget \(\d{4}-\d\d-\d\d\) is used up") as refused:
        start(ACME, "flow", {}, None)
    assert (refused.value.field, len(world.runs.heads)) == ("budget", 1)


def _never(*said: Any) -> None:
    raise AssertionError(said)


def test_a_slot_that_was_taken_to_go_on_is_given_back_by_the_next_wait() -> None:
    here = Queueing(active=1)
    here.world.register([t("a")])
    key = here.world.start()
    hold, program = RunSlot(here.world.ports, key), here.world.program("acme", "flow", "1.0.0")
    hold.wait(here.world.ports.slots.slot_state(key), "a")
    assert here.count == (0, 1)
    stood = hold.enter(here.world.store.full_snapshot(key), program, "a")
    assert here.count == (1, 0)
    hold.wait(stood, "a")
    assert here.count == (0, 1)
