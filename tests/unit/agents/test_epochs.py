"""A run that is longer than one execution's history goes on in another, and nobody outside can tell."""

from __future__ import annotations

from stepward.agents.fork import ForkRun
from stepward.agents.run_control import PauseRun, ResumeRun
from stepward.agents.start import Start
from stepward.domain.budgets import Budget, BudgetScope, TenantLimits
from stepward.domain.run_state import fold
from stepward.domain.runs import RunStatus
from tests.support.builders import an_agent_body
from tests.support.driver import ACME, World
from tests.unit.agents.long_runs import ASK, LOOK_UP, PERSON, TOOLS, a_world, up_to_the_change


def test_a_run_goes_on_in_new_executions_to_its_end() -> None:
    world, calm = a_world(), a_world(most_events=20_000)
    key, calm_key = world.start(), calm.start()
    run, other = world.finish(key), calm.finish(calm_key)
    assert (run["status"], run["output"], run["totals"]) == ("COMPLETED", "6 results", other["totals"])
    assert list(world.machine.started) == [f"{key.run}.{epoch}" for epoch in (1, 2, 3, 4)]
    assert list(calm.machine.started) == [f"{calm_key.run}.1"]
    assert calm.kinds(calm_key) == _without_changes(world.kinds(key))
    assert [event["data"] for event in world.events(key) if event["type"] == "agent.run.continued"] == [
        {"epoch": 2},
        {"epoch": 3},
        {"epoch": 4},
    ]
    assert "epoch" not in run


def _without_changes(kinds: list[str]) -> list[str]:
    """A new execution claims the run once more."""
    while "continued" in kinds:
        place = kinds.index("continued")
        assert kinds[place + 1] == "claimed"
        kinds = kinds[:place] + kinds[place + 2 :]
    return kinds


def test_slot_deadline_and_money_stay_and_aws_is_paid_for_the_new_states() -> None:
    world, calm = a_world(), a_world(most_events=20_000)
    for one in (world, calm):
        budget = Budget(scope=BudgetScope.TENANT, limit_usd_micros=10_000_000)
        one.limits.change("acme", TenantLimits(active=1, budgets=(budget,)), 0)
    key = up_to_the_change(world)
    assert list(world.run_queue.slots) == [key]
    before = fold(world.journal.load(key))
    assert (before.ledger.intent, before.ledger.lost) == (None, {})
    run, other = world.finish(key), calm.finish(calm.start())
    assert world.run_queue.slots == {}
    (budget,) = world.runtime.budgets.touched(10)
    assert budget.limit_usd_micros - budget.remaining_usd_micros == run["totals"]["cost_usd_micros"]
    assert run["totals"] == other["totals"]
    changes = world.runtime.heads[key].epoch - 1
    assert run["aws"]["counts"]["transitions"] == other["aws"]["counts"]["transitions"] + 3 * changes


def test_the_deadline_counts_and_not_the_execution() -> None:
    world = a_world()
    key = up_to_the_change(world)
    world.clock.forward(1_000_000)
    assert world.finish(key)["error"]["code"] == "DeadlineExceeded"


def test_inline_turns_take_no_events() -> None:
    world = World(most_events=50)
    sums = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}] * 12}
    body = an_agent_body(tools=[{"tool": "calculate"}], rehearsal={"turns": [sums] * 4 + [{"say": "Done."}]})
    assert world.run(body)["status"] == "COMPLETED"
    assert len(world.machine.started) == 1


def test_a_machine_that_does_not_count_goes_on_as_before() -> None:
    world = a_world()
    key = world.start()
    answer = world.advance(key)
    for call in answer.calls or []:
        world.call(key, answer, call)
    assert world.advance(key, called=answer.seq, asked=answer.calls).next == "calls"


def test_a_paused_run_goes_on_in_its_new_execution() -> None:
    world = a_world()
    key = up_to_the_change(world)
    PauseRun(world.ports)("acme", key.run, "ann")
    answer = world.advance(key, spent=7)
    assert (answer.next, [wait.call for wait in answer.waits or []]) == ("waits", ["resume"])
    token = world.wait(key, answer, "resume")
    ResumeRun(world.ports)("acme", key.run, "ann")
    assert token in world.machine.answered
    assert world.finish(key)["output"] == "6 results"


def test_a_run_that_is_paused_when_it_is_full_changes_after_the_pause() -> None:
    world = a_world()
    key = world.start()
    answer = world.advance(key, spent=7)
    for call in answer.calls or []:
        world.call(key, answer, call)
    PauseRun(world.ports)("acme", key.run, "ann")
    said = {"called": answer.seq, "asked": answer.calls, "spent": 99}
    waits = world.advance(key, **said)
    assert (waits.next, waits.spent) == ("waits", 99)
    ResumeRun(world.ports)("acme", key.run, "ann")
    assert world.advance(key, awaited=waits.seq, spent=118).next == "done"
    assert world.runtime.heads[key].epoch == 2
    assert world.finish(key)["output"] == "6 results"


def test_people_and_other_agents_answer_over_executions() -> None:
    world = a_world({"call": [LOOK_UP, ASK]}, {"call": [ASK, LOOK_UP]}, {"call": [LOOK_UP, LOOK_UP]})
    key = world.start()
    assert world.finish(key)["output"] == "6 results"
    assert world.runtime.heads[key].epoch > 2
    asking = a_world({"call": [LOOK_UP, LOOK_UP]}, {"call": [PERSON]})
    key = up_to_the_change(asking)
    answer = asking.advance(key, spent=7)
    token = asking.wait(key, answer, (answer.waits or [])[0].call)
    (approval,) = asking.approvals.of_run(key)
    assert asking.show(key)["status"] == RunStatus.WAITING
    asking.decide(approval.id)
    assert token in asking.machine.answered
    assert asking.finish(key)["output"] == "3 results"


def test_a_child_that_changes_its_execution_still_answers() -> None:
    world = a_world({"call": [ASK]})
    turns = [{"call": [LOOK_UP, LOOK_UP]}] * 2 + [{"say": "It is 42."}]
    world.swap_version(
        an_agent_body(id="other", prompt="Help, too.", tools=TOOLS[:1], rehearsal={"turns": turns})
    )
    key = world.start()
    assert world.finish(key)["output"] == "1 results"
    epochs = {head.agent: head.epoch for head in world.runtime.heads.values()}
    assert epochs == {"helper": 2, "other": 3}


def test_a_fork_begins_in_its_own_first_execution() -> None:
    world = a_world()
    key = world.start()
    world.finish(key)
    fork = ForkRun(Start(world.ports, world.registry), world._definition, lambda _: {})
    head, _, _ = fork(ACME, key.run, {"turn": 2}, None)
    assert head.execution_name == f"{head.run}.1"
    assert world.finish(head.key)["output"] == "6 results"


def test_a_wait_for_a_provider_counts_and_leads_to_a_change() -> None:
    world = a_world(most_events=40)
    key = world.start()
    world.advance(key, spent=40)
    assert world.kinds(key) == ["created", "claimed", "continued"]
    assert fold(world.journal.load(key)).ledger.lost == {}
    assert world.finish(key)["totals"]["turns"] == 4
