"""A paused run stands still after its step, holds no slot, and goes on when it is told to, whoever is at it too."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.run_control import PauseRun, ResumeRun
from stepward.domain.budgets import TenantLimits
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import Conflict, NotFound
from stepward.domain.money import Usage
from stepward.domain.runs import RunKey
from stepward.ports.run_queue import SlotCount
from tests.support.builders import an_agent_body
from tests.support.driver import World

SUM = {"tool": "calculate", "arguments": {"expression": "1 + 1"}}
TWO_TURNS = {"turns": [{"call": [SUM]}, {"say": "Two."}]}
ASKS = {"turns": [{"call": [{"tool": "ask_child", "arguments": {"input": "hm"}}]}, {"say": "Well."}]}


def a_world(active: int = 10) -> World:
    world = World()
    world.limits.change("acme", TenantLimits(active=active), 0)
    world.register(an_agent_body(tools=[{"tool": "calculate"}], rehearsal=TWO_TURNS))
    return world


@pytest.fixture
def world() -> World:
    return a_world()


def pause(world: World, key: RunKey, by: str = "ann") -> None:
    PauseRun(world.ports)(key.tenant, key.run, by)


def resume(world: World, key: RunKey, by: str = "bob") -> None:
    ResumeRun(world.ports)(key.tenant, key.run, by)


class During:
    """A backend during whose first call something else happens to the run."""

    def __init__(self, happening: Any) -> None:
        self.happening = happening

    longest_call_s = 30.0

    def reply(self, request: ModelRequest, call: object = None) -> ModelReply:
        if request.turn == 1:
            self.happening()
        return ModelReply(text="Done.", usage=Usage(input_tokens=1_000, output_tokens=100))

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return 1_000


def test_a_paused_run_holds_no_slot_and_goes_on_where_it_was(world: World) -> None:
    key = world.start()
    pause(world, key)
    assert world.show(key)["paused"] is True
    answer = world.advance(key)
    assert [(wait.call, wait.seconds) for wait in answer.waits or []] == [("resume", 31_536_000)]
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=1)
    shown = world.show(key)
    assert (shown["status"], shown["paused"], shown["waiting_for"]["what"]) == ("WAITING", True, "pause")
    token = world.wait(key, answer, "resume")
    assert world.machine.answered == []
    resume(world, key)
    assert world.machine.answered == [token]
    assert world.show(key)["paused"] is False
    ended = world.finish(key)
    assert (ended["status"], ended["output"], ended["totals"]["turns"]) == ("COMPLETED", "Two.", 2)
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=0)


def test_a_pause_during_a_model_call_keeps_the_reply_and_costs_nothing(world: World) -> None:
    plain = world.finish(world.start())
    key = world.start()
    append, said = world.journal.append, []

    def append_after_a_pause(run: RunKey, seq: int, record: Any) -> None:
        if record.kind == "turn" and not said:
            said.append(record)
            pause(world, key)
        append(run, seq, record)

    world.journal.append = append_after_a_pause  # type: ignore[method-assign]
    assert world.advance(key).next == "waits"
    assert world.kinds(key) == ["created", "claimed", "pause", "turn", "parked"]
    resume(world, key)
    ended = world.finish(key)
    assert (ended["output"], ended["totals"]) == (plain["output"], plain["totals"])


def test_a_pause_that_comes_in_the_last_step_changes_nothing(world: World) -> None:
    key = world.start()
    world.backend = During(lambda: pause(world, key))
    assert world.advance(key).next == "done"
    shown = world.show(key)
    assert (shown["status"], shown["paused"]) == ("COMPLETED", False)
    assert world.run_queue.slots == {}


def test_the_time_of_a_pause_does_not_count_towards_the_deadline(world: World) -> None:
    key = world.start()
    pause(world, key)
    world.advance(key)
    world.clock.forward(100_000)
    resume(world, key)
    assert world.finish(key)["status"] == "COMPLETED"


def test_a_waiting_run_is_held_after_its_answers() -> None:
    world = a_world()
    world.register(
        an_agent_body(id="asker", tools=[{"agent": "helper", "name": "ask_child"}], rehearsal=ASKS)
    )
    key = world.start("asker")
    answer = world.advance(key)
    world.wait(key, answer, "call_1_1")
    pause(world, key)
    child = world.journal.call(key, "call_1_1")
    assert child is not None
    shown = world.show(key)["waiting_for"]
    assert (shown["what"], shown["runs"]) == ("answers", {"call_1_1": child.started_by})
    assert shown["since"] == "2026-01-01T00:00:00.000Z"
    world.finish(RunKey(tenant="acme", run=str(child.started_by)))
    held = world.advance(key, awaited=answer.seq)
    assert [wait.call for wait in held.waits or []] == ["resume"]
    assert world.show(key)["waiting_for"]["what"] == "pause"
    assert world.run_queue.slots == {}
    resume(world, key)
    assert world.finish(key)["output"] == "Well."
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=0)


def test_a_run_that_is_paused_in_line_lets_others_pass_and_comes_back_as_old_as_it_was() -> None:
    world = a_world(active=1)
    first, second = world.start(), world.start()
    world.clock.forward(1)
    third = world.start()
    pause(world, second)
    shown = world.show(second)
    assert (shown["status"], shown["paused"], shown["waiting_for"]["what"]) == ("PENDING", True, "pause")
    assert world.run_queue.view("acme").lengths["normal"] == 1
    resume(world, second)
    assert world.show(second)["waiting_for"].items() >= {"what": "slot", "place": "normal"}.items()
    world.finish(first)
    assert world.serve() == 1
    assert list(world.run_queue.slots) == [second]
    assert list(world.machine.started)[-1] == f"{second.run}.1"
    assert world.finish(second)["status"] == "COMPLETED"
    world.serve()
    assert world.finish(third)["status"] == "COMPLETED"
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=0)


def test_a_run_that_is_paused_in_line_with_its_answers_waits_on_with_its_machine() -> None:
    world = a_world(active=1)
    key = world.start()
    pause(world, key)
    answer = world.advance(key)
    other = world.start()
    resume(world, key)
    waits = world.advance(key)
    assert [wait.call for wait in waits.waits or []] == ["slot"]
    token = world.wait(key, waits, "slot")
    pause(world, key)
    world.finish(other)
    assert world.serve() == 0
    resume(world, key)
    assert world.serve() == 1
    assert token in world.machine.answered
    assert world.finish(key)["status"] == "COMPLETED"
    assert answer.next == "waits"
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=0)


def test_a_paused_run_can_be_cancelled_and_is_paused_no_more(world: World) -> None:
    key = world.start()
    pause(world, key)
    world.advance(key)
    world.cancel(key)
    shown = world.show(key)
    assert (shown["status"], shown["paused"]) == ("CANCELLED", False)
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=0)


def test_each_wrong_word_has_its_own_refusal_and_changes_nothing(world: World) -> None:
    key = world.start()
    with pytest.raises(Conflict, match="is not paused"):
        resume(world, key)
    pause(world, key)
    with pytest.raises(Conflict, match="paused already, by ann"):
        pause(world, key, "bob")
    world.cancel_in_journal(key)
    for word in (pause, resume):
        with pytest.raises(Conflict, match="is being cancelled by tester"):
            word(world, key)
    world.cancel(key)
    before = world.kinds(key)
    for word in (pause, resume):
        with pytest.raises(Conflict, match="has ended as CANCELLED"):
            word(world, key)
    with pytest.raises(NotFound):
        PauseRun(world.ports)("globex", key.run, "eve")
    assert world.kinds(key) == before
