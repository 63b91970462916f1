"""Several at one run: who goes on, and who pays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepward.agents.reconcile import CloseRun
from stepward.agents.run_control import ORPHANED, CancelRun, EndOrphans, PauseRun
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import CallItem, Cancel, Claimed, Ended, JournalSlice
from stepward.domain.money import Usage
from stepward.domain.run_state import RunState, fold_records
from stepward.domain.runs import RunKey
from stepward.ports.run_queue import Freed
from tests.support.builders import AT, a_call, a_turn, an_agent_body
from tests.support.driver import Failing, World


@pytest.fixture
def world() -> World:
    return World()


class Overtaken:
    """A backend during whose call something else happens to the run."""

    def __init__(self, happening: Any) -> None:
        self.happening = happening

    longest_call_s = 30.0

    def reply(self, request: ModelRequest, call: object = None) -> ModelReply:
        self.happening()
        return ModelReply(text="late", usage=Usage(input_tokens=1_000, output_tokens=100))

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return 1_000


def test_a_cancel_during_a_model_call_wins_and_the_call_is_booked(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    world.backend = Overtaken(lambda: world.cancel(key))
    with pytest.raises(StoreConflict):
        world.advance(key)
    run = world.show(key)
    assert run["status"] == "CANCELLED"
    assert run["totals"]["cost_usd_micros"] == 1_000 * 2 + 100 * 10
    assert world.kinds(key) == ["created", "claimed", "cancel", "ended", "turn"]
    assert world.advance(key).next == "done"


def test_a_newer_claim_wins_and_the_older_call_is_booked_as_late(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()

    def somebody_else() -> None:
        world.backend = None
        world.advance(key)

    world.backend = Overtaken(somebody_else)
    with pytest.raises(StoreConflict):
        world.advance(key)
    run = world.show(key)
    assert (run["status"], run["output"]) == ("COMPLETED", "Done.")
    assert run["totals"]["cost_usd_micros"] > 1_000 * 2 + 100 * 10


class Quick:
    """A journal of a run that takes a step while anybody reads a dozen records."""

    def __init__(self, world: World, key: RunKey) -> None:
        self.inner, self.world, self.key = world.journal, world, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def load(self, key: RunKey, from_seq: int = 1) -> JournalSlice:
        found = self.inner.load(key, from_seq)
        for _ in range(len(found.records) // 12):
            self.step()
        return found

    def step(self) -> None:
        records = self.inner.load(self.key).records
        if not any(isinstance(item.record, Cancel | Ended) for item in records):
            self.inner.append(self.key, len(records) + 1, Claimed(at=AT, writer="quick"))


@pytest.mark.parametrize("word", ["cancel", "pause", "close", "orphan"])
def test_a_word_comes_in_between_the_steps_of_a_quick_run(world: World, word: str) -> None:
    world.register(an_agent_body())
    key = world.start()
    quick = Quick(world, key)
    for _ in range(200):
        quick.step()
    ports = replace(world.ports, journal=quick)
    match word:
        case "cancel":
            CancelRun(ports)(key.tenant, key.run, "ann")
        case "pause":
            PauseRun(ports)(key.tenant, key.run, "ann")
        case "close":
            CloseRun(ports)(key, "ExecutionStopped", "it is gone.")
        case _:
            EndOrphans(ports)(key.tenant, a_parent_of(key), ORPHANED)
    run = world.show(key)
    status = {"cancel": "CANCELLED", "pause": "RUNNING", "close": "FAILED", "orphan": "CANCELLED"}[word]
    assert (run["status"], run["paused"]) == (status, word == "pause")


def a_parent_of(child: RunKey) -> RunState:
    """The state of a run that waits for another one."""
    turn = a_turn(calls=(a_call(1, "ask"),))
    asked = {"call_1_1": CallItem(call="call_1_1", started_by=child.run)}
    return RunState(calls=asked, pending=turn)


def test_a_late_bill_does_not_stop_the_one_who_goes_on(world: World) -> None:
    """A claims, B claims, A's reply comes late while B calls the model: B's reply is still taken."""
    world.register(an_agent_body())
    key = world.start()
    late = a_turn(late=True, writer="invocation-1")
    world.backend = Overtaken(lambda: world.journal.append(key, 3, late))
    assert world.advance(key).next == "done"
    run = world.show(key)
    assert (run["status"], run["output"]) == ("COMPLETED", "late")
    assert world.kinds(key) == ["created", "claimed", "turn", "turn"]
    assert run["totals"]["cost_usd_micros"] == 300 + 1_000 * 2 + 100 * 10


def test_a_reply_that_was_cut_for_a_lost_run_is_paid_and_no_fault_of_its_model(world: World) -> None:
    """A claims, B claims, A sees that and cuts its own stream: B's model is asked in the usual order."""
    world.register(an_agent_body())
    key = world.start()
    cut = ModelReply(text="Do", stop="cut", usage=Usage(input_tokens=100))
    late = a_turn(late=True, writer="somebody who lost", reply=cut, model="claude-sonnet-5-5")
    world.backend = Overtaken(lambda: world.journal.append(key, 3, late))
    assert world.advance(key).next == "done"
    records = world.journal.load(key).records
    before_the_reply = fold_records([one for one in records if one.seq <= 3], {})
    assert before_the_reply.ledger.totals.cost_usd_micros == 300
    assert (before_the_reply.cuts, before_the_reply.unanswered) == (0, {})


def test_a_reply_between_cancel_and_end_is_billed_once(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    close = world.runtime.close

    def cancel_and_die() -> None:
        world.runtime.close = lambda *_: Freed(done=False)  # type: ignore[method-assign]
        world.cancel_in_journal(key)
        world.runtime.close = close  # type: ignore[method-assign]

    world.backend = Overtaken(cancel_and_die)
    with pytest.raises(StoreConflict):
        world.advance(key)
    world.backend = None
    world.advance(key)
    assert world.show(key)["status"] == "CANCELLED"
    assert world.show(key)["totals"]["cost_usd_micros"] == 1_000 * 2 + 100 * 10


def test_a_lost_call_costs_its_reservation(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    world.backend = Failing(RuntimeError("the process dies"))
    with pytest.raises(RuntimeError):
        world.advance(key)
    claimed = world.journal.load(key).records[-1].record
    assert isinstance(claimed, Claimed)
    assert claimed.intent is not None
    reserve = claimed.intent.reserve_usd_micros
    world.backend = None
    run = world.finish(key)
    assert run["totals"]["cost_usd_micros"] >= reserve
    assert world.kinds(key) == ["created", "claimed", "claimed", "turn"]
