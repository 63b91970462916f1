"""A function may die before or after any write: the run still ends with the same answer, and nothing is lost.

Every write of every reference run is tried, with a death just before it (nothing written) and just after it (written,
but the answer never seen); then pairs of deaths, chosen at random.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.agents.continue_as_new import MOST_EVENTS
from stepward.agents.reconcile import ReconcileRuns
from stepward.domain.budgets import Budget, BudgetScope, TenantLimits
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import Conflict
from stepward.domain.journal import Claimed, Turn
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey, execution_name
from stepward.models.catalog import backend_for
from stepward.ports.models import CallContext
from tests.support.builders import an_agent, an_agent_body
from tests.support.draws import drawn
from tests.support.driver import World

WRITES = (
    "append", "put_result", "mark_started", "start", "admit", "queue", "park", "begin_epoch", "top_up", "close", "mark_notified",
    "keep", "send", "open", "decide", "change", "mark_woken", "put",
)  # fmt: skip
CALCULATE = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}] * 2}
POLICY = {"call": [{"tool": "policy_lookup", "arguments": {"topic": "books"}}] * 2}
ANSWER = {"say": "{% $string($count($results)) %}"}
ASK = {"tool": "ask_other", "arguments": {"input": "What is it?"}}
PERSON = {"tool": "ask_person", "arguments": {"question": "May I?"}}
CHECKED = {"tool": "checked", "arguments": {"topic": "books"}}
CHECKED_CHILD = {"tool": "ask_checked", "arguments": {"input": "What is it?"}}
GUARD = {"approvers": ["ann"]}
CHILD = [CALCULATE, {"say": "42"}]
TOOLS = [
    {"agent": "other"},
    {"tool": "calculate"},
    {"tool": "policy_lookup", "config": {"source": "datasets/policy.json"}},
    {"tool": "ask_person"},
    {
        "tool": "policy_lookup",
        "name": "checked",
        "config": {"source": "datasets/policy.json"},
        "approval": GUARD,
    },
    {"agent": "other", "name": "ask_checked", "approval": GUARD},
]
SHAPES: dict[str, list[dict[str, Any]]] = {
    "one turn": [ANSWER],
    "inline 2 + 2": [CALCULATE, CALCULATE, ANSWER],
    "remote 2 + 2": [POLICY, POLICY, ANSWER],
    "a child beside a tool": [{"call": [ASK, *POLICY["call"]]}, ANSWER],
    "two children": [{"call": [ASK, ASK]}, CALCULATE, ANSWER],
    "a person beside a tool": [{"call": [PERSON, *POLICY["call"]]}, ANSWER],
    "guards": [{"call": [CHECKED, CHECKED_CHILD]}, ANSWER],
    "mixed": [{"call": [*CALCULATE["call"], *POLICY["call"]]}, CALCULATE, POLICY, ANSWER],
}


class Died(BaseException):
    """The process is gone, with all that it knew."""


class Mortal:
    """Counts writes and dies around the chosen ones; `deaths` are (number of the write, before or after)."""

    def __init__(self, world: World, deaths: set[tuple[int, str]]) -> None:
        self.names: list[str] = []
        self._within = False
        self._deaths = deaths
        for owner in (
            world.journal,
            world.runtime,
            world.tokens,
            world.wake_ups,
            world.approvals,
            world.told,
            world.machine,
        ):
            for name in WRITES:
                if hasattr(owner, name):
                    setattr(owner, name, self._mortal(name, getattr(owner, name)))

    @property
    def writes(self) -> int:
        return len(self.names)

    def _mortal(self, name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*args: Any) -> Any:
            if self._within:
                return write(*args)  # a part of a transaction happens with the whole of it
            self.names.append(name)
            number = self.writes
            if (number, "before") in self._deaths:
                raise Died
            self._within = True
            try:
                answer = write(*args)
            finally:
                self._within = False
            if (number, "after") in self._deaths:
                raise Died
            return answer

        return dying


class Counting:
    """The scripts of both agents behind one backend that counts its calls, as a provider's bill would."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self._backends = {body["prompt"]: backend_for(an_agent(**body), rehearsed=True) for body in bodies}
        self.calls = 0
        self.longest_call_s = 30.0

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        self.calls += 1
        return self._backends[request.prompt].reply(request, call)

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return self._backends[request.prompt].estimate_input_tokens(request)


def a_body(shape: str) -> dict[str, Any]:
    return an_agent_body(tools=TOOLS, rehearsal={"turns": SHAPES[shape]})


def a_child() -> dict[str, Any]:
    return an_agent_body(
        id="other", prompt="Help, too.", tools=[{"tool": "calculate"}], rehearsal={"turns": CHILD}
    )


def live(
    shape: str, deaths: set[tuple[int, str]], most_events: int = MOST_EVENTS
) -> tuple[World, RunKey, Mortal, Counting]:
    """Move a run along as the machine does: a task that dies is retried with the same payload."""
    world = World(most_events=most_events)
    budget = Budget(scope=BudgetScope.TENANT, limit_usd_micros=10_000_000)
    world.limits.change("acme", TenantLimits(active=1, budgets=(budget,)), 0)
    world.datasets.put("acme", "datasets/policy.json", b'{"topics": {"books": {"days": 30}}}')
    backend = Counting(a_body(shape), a_child())
    world.register(a_child())
    world.register(a_body(shape))
    world.backend = backend
    key = world.start()
    mortal = Mortal(world, deaths)
    carry(world, key)
    return world, key, mortal, backend


def carry(world: World, key: RunKey) -> None:
    """Do what the machine does, until the run is done: an execution that ends before it must have a newer one."""
    epoch, said = 1, dict[str, Any](spent=7)
    for _ in range(60):
        said["execution"] = execution_name(key.run, epoch)
        answer = _retried(lambda: world.advance(key, **said))  # noqa: B023
        said = {"spent": world.spent(answer)}
        if answer.next == "done" and world.runtime.heads[key].ended:
            return
        if answer.next == "done":
            epoch += 1
            assert execution_name(key.run, epoch) in world.machine.started
        if answer.next == "calls":
            said |= {"called": answer.seq, "asked": answer.calls}
        for call in answer.calls or []:
            _retried(lambda: world.call(key, answer, call))  # noqa: B023
        for wait in answer.waits or []:
            said["awaited"] = answer.seq
            token = _retried(lambda: world.wait(key, answer, wait.call))  # noqa: B023
            if token not in world.machine.answered:
                carry_answer(world, key, wait.call)
    raise AssertionError(f"{key.run} does not end")


def carry_answer(world: World, key: RunKey, call: str) -> None:
    """Say yes, or do what the machine of a child does; one that is in the run queue is served, as its wake-up or the janitor asks for."""
    for approval in world.approvals.of_run(key):
        if approval.wait == call and approval.is_open:
            _retried(lambda: _said_yes(world, approval.id))  # noqa: B023
            return
    _retried(world.serve)
    item = world.journal.call(key, call)
    if item and item.started_by:
        carry(world, RunKey(tenant=key.tenant, run=item.started_by))
    world.clock.forward(31)
    _retried(ReconcileRuns(world.ports))


def _said_yes(world: World, approval: str) -> None:
    """Decide; who does not know whether his word was heard says it again and is told so, and the janitor does the rest."""
    try:
        world.decide(approval)
    except Conflict as error:
        assert "ann decided" in error.detail
    world.clock.forward(61)
    world.tend()


def _retried(task: Callable[[], Any]) -> Any:
    for _ in range(5):
        try:
            return task()
        except Died:
            continue
    raise AssertionError("five deaths in a row")


def check(shape: str, deaths: set[tuple[int, str]], most_events: int = MOST_EVENTS) -> None:
    world, key, _, backend = live(shape, deaths, most_events)
    calm_world, calm_key, _, calm_backend = calm_life(shape, most_events)
    run, calm = world.show(key), calm_world.show(calm_key)
    assert (run["status"], run["output"], world.runtime.heads[key].epoch) == (
        calm["status"],
        calm["output"],
        calm_world.runtime.heads[calm_key].epoch,
    )
    journal = world.journal.load(key)
    state = fold(journal)
    assert run["totals"] == state.ledger.billed_totals().model_dump()
    assert run["totals"]["turns"] == calm["totals"]["turns"]
    repeats = backend.calls - calm_backend.calls
    befores = sum(1 for _, when in deaths if when == "before")
    assert 0 <= repeats <= befores
    booked = sum(item.record.cost_usd_micros for item in journal.records if isinstance(item.record, Turn))
    assert run["totals"]["cost_usd_micros"] >= booked
    assert (run["totals"]["cost_usd_micros"] > booked) == bool(state.ledger.lost)
    lost = [fold(world.journal.load(one)).ledger.lost for one in world.runtime.heads]
    assert any(lost) or not repeats, "a repeated call's reservation was not booked"
    claims = sum(isinstance(item.record, Claimed) for item in journal.records)
    assert claims <= sum(
        isinstance(i.record, Claimed) for i in calm_world.journal.load(calm_key).records
    ) + len(deaths)
    assert world.run_queue.slots == {}
    assert world.run_queue.positions == {}
    assert world.tend() == {}
    assert {one.status.value for one in world.approvals.of_run(key)} <= {"approved"}
    assert {told[2]["id"] for told in world.told.events} == {told[2]["id"] for told in calm_world.told.events}
    for budget in world.runtime.budgets.touched(10):
        spent = sum(head.totals.cost_usd_micros for head in world.runtime.heads.values())
        assert budget.limit_usd_micros - budget.remaining_usd_micros == spent


@cache
def calm_life(shape: str, most_events: int = MOST_EVENTS) -> tuple[World, RunKey, Mortal, Counting]:
    """The same run without a death, which nobody changes any more."""
    return live(shape, set(), most_events)


def writes_of(shape: str, most_events: int = MOST_EVENTS) -> int:
    return calm_life(shape, most_events)[2].writes


@pytest.mark.parametrize("shape", SHAPES)
def test_one_death_anywhere(shape: str) -> None:
    for number in range(1, writes_of(shape) + 1):
        for when in ("before", "after"):
            check(shape, {(number, when)})


@pytest.mark.parametrize("shape", ["remote 2 + 2", "a person beside a tool", "two children"])
def test_one_death_anywhere_on_the_way_through_several_executions(shape: str) -> None:
    names = calm_life(shape, 20)[2].names
    changes = [number for number, name in enumerate(names, start=1) if name == "begin_epoch"]
    near = {number + step for number in changes for step in (-1, 0, 1, 2)}
    assert names[changes[0]] == "start"
    for number in sorted(near):
        for when in ("before", "after"):
            check(shape, {(number, when)}, 20)


@drawn(100)
@given(st.data())
def test_two_deaths_anywhere(data: st.DataObject) -> None:
    shape, most_events = (
        data.draw(st.sampled_from(list(SHAPES))),
        data.draw(st.sampled_from([MOST_EVENTS, 20])),
    )
    place = st.tuples(st.integers(1, writes_of(shape, most_events) + 3), st.sampled_from(["before", "after"]))
    check(shape, data.draw(st.sets(place, min_size=2, max_size=2)), most_events)
