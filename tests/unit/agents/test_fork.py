"""A fork goes on from another run's turn: with its history, its own bill, and what was changed on the way."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.diff_runs import DiffRuns
from stepward.agents.fork import ForkRun
from stepward.agents.start import Start
from stepward.domain.budgets import TenantLimits
from stepward.domain.errors import BudgetExceeded, Conflict, InvalidRequest, NotFound, StepwardError
from stepward.domain.journal import Created, Inherited
from stepward.domain.runs import RunKey
from stepward.ports.run_queue import SlotCount
from tests.support.builders import an_agent_body
from tests.support.driver import ACME, Failing, World


def sum_of(expression: str) -> dict[str, Any]:
    return {"call": [{"tool": "calculate", "arguments": {"expression": expression}}]}


TURNS = [
    sum_of("1 + 1"),
    sum_of("{% $string($results[0].content.value) & ' * 10' %}"),
    {"say": "{% 'turn ' & $string($turn) & ': ' & $last.calculate.value %}"},
]


@pytest.fixture
def world() -> World:
    world = World()
    world.register(an_agent_body(tools=[{"tool": "calculate"}], rehearsal={"turns": TURNS}))
    return world


def fork(world: World, key: RunKey, /, turn: Any = 1, idempotency: str | None = None, **edits: Any) -> RunKey:
    case = ForkRun(Start(world.ports, world.registry), world._definition, lambda _: {})
    return case(ACME, key.run, {"turn": turn, **edits}, idempotency)[0].key


def diff(world: World, left: RunKey, right: RunKey, **query: str) -> dict[str, Any]:
    return DiffRuns(world.journal, world.runtime)("acme", left.run, {"with": right.run, **query})


def ended(world: World, given: Any = "hello") -> RunKey:
    key = world.start("helper", given)
    world.finish(key)
    return key


def test_a_fork_goes_on_where_its_source_was_and_pays_only_for_itself(world: World) -> None:
    source = ended(world)
    key = fork(world, source)
    shown = world.show(key)
    assert (shown["status"], shown["input"]) == ("PENDING", "hello")
    assert shown["fork_of"] == {"run": source.run, "turn": 1, "agent": "helper", "results": ()}
    run, before = world.finish(key), world.show(source)
    assert (
        (run["status"], run["output"]) == ("COMPLETED", "turn 3: 20") == (before["status"], before["output"])
    )
    assert run["totals"]["turns"] == 2
    assert 0 < run["totals"]["cost_usd_micros"] < before["totals"]["cost_usd_micros"]
    assert world.kinds(key) == ["created", "inherited", "claimed", "turn", "results", "turn"]
    assert [event["type"] for event in world.events(key)][:2] == ["agent.run.created", "agent.run.inherited"]
    assert world.run_queue.count("acme") == SlotCount(active=0, parked=0)


def test_the_source_stays_as_it_is(world: World) -> None:
    source = ended(world)
    before = world.journal.load(source), world.show(source)
    world.finish(fork(world, source, results={"call_1_1": {"value": "7"}}, prompt="Other."))
    assert (world.journal.load(source), world.show(source)) == before


def test_a_changed_result_changes_what_comes_after_it(world: World) -> None:
    source = ended(world)
    key = fork(world, source, results={"call_1_1": {"value": "7"}})
    assert world.finish(key)["output"] == "turn 3: 70"
    seen = diff(world, source, key)
    assert seen["fork"] == {"side": "right", "turn": 1, "results": ["call_1_1"]}
    assert seen["first_difference"] == 1
    assert [turn["turn"] for turn in seen["turns"]] == [1, 2, 3]
    assert seen["turns"][0]["results"]["right"] == [
        {"tool": "calculate", "ok": True, "content": {"value": "7"}}
    ]
    assert "calls" not in seen["turns"][0]
    assert seen["turns"][1]["calls"]["left"] == [{"tool": "calculate", "arguments": {"expression": "2 * 10"}}]
    assert seen["turns"][2]["text"] == {"left": "turn 3: 20", "right": "turn 3: 70"}
    assert (seen["left"]["totals"]["turns"], seen["right"]["totals"]["turns"]) == (3, 2)


def test_a_changed_prompt_and_model_are_what_the_model_is_asked_with(world: World) -> None:
    source = ended(world)
    key = fork(world, source, prompt="Be brief. " * 200, model="deep")
    run = world.finish(key)
    assert run["output"] == "turn 3: 20"
    turns = [item.record for item in world.journal.load(key).records if item.record.kind == "turn"]
    assert {getattr(turn, "model", None) for turn in turns} != {
        getattr(item.record, "model", None)
        for item in world.journal.load(source).records
        if item.record.kind == "turn"
    }
    assert turns[0].reply.usage.input_tokens > 500  # type: ignore[union-attr]
    seen = diff(world, source, key)
    assert seen["start"]["model"] == {"left": None, "right": "deep"}
    assert (seen["first_difference"], seen["turns"]) == (None, [])


def test_a_fork_of_a_fork_keeps_what_was_changed_and_knows_its_family(world: World) -> None:
    source = ended(world)
    first = fork(world, source, turn=2, prompt="Other.", results={"call_1_1": {"value": "5"}})
    world.finish(first)
    second = fork(world, first, turn=1)
    assert world.finish(second)["output"] == "turn 3: 50"
    created = world.journal.load(second).records[0].record
    assert isinstance(created, Created)
    assert created.fork is not None
    assert (created.fork.prompt, created.fork.family) == ("Other.", (first.run, source.run))


def test_a_fork_after_a_hand_over_is_carried_on_by_who_carried_on_then(world: World) -> None:
    world.register(
        an_agent_body(
            id="billing",
            tools=[{"tool": "calculate"}],
            rehearsal={
                "turns": [
                    sum_of("3 * 3"),
                    {"say": "{% 'billed ' & $last.calculate.value & ' at ' & $turn %}"},
                ]
            },
        )
    )
    hand_over = {"call": [{"tool": "transfer_to_billing"}]}
    world.register(
        an_agent_body(id="front", tools=[{"handoff": "billing"}], rehearsal={"turns": [hand_over]})
    )
    source = world.start("front")
    assert world.finish(source)["output"] == "billed 9 at 2"
    first = fork(world, source, turn=2, results={"call_2_1": {"value": "8"}})
    assert world.finish(first)["output"] == "billed 8 at 2"
    second = fork(world, first, turn=1, prompt="As billing.")
    assert world.finish(second)["output"] == "billed 9 at 2"
    inherited = world.journal.load(second).records[1].record
    assert isinstance(inherited, Inherited)
    assert (inherited.agent, inherited.turns_by_agent) == ("billing", {"front": 1})


def test_a_running_run_can_be_forked_as_far_as_it_has_come(world: World) -> None:
    key = world.start()
    world.time_left_s = lambda: 1.0
    assert world.advance(key).next == "again"
    world.time_left_s = lambda: 100.0
    assert world.finish(fork(world, key))["output"] == "turn 3: 20"
    with pytest.raises(InvalidRequest, match="no turn 2 with results: it has 1"):
        fork(world, key, turn=2)
    assert world.finish(key)["output"] == "turn 3: 20"


def test_a_failed_run_can_be_forked_before_its_fault(world: World) -> None:
    key = world.start()
    world.time_left_s = lambda: 1.0
    world.advance(key)
    world.backend = Failing(InvalidRequest("broken"))
    with pytest.raises(InvalidRequest):
        world.advance(key)
    world.backend, world.time_left_s = None, lambda: 100.0
    world.cancel(key)
    assert world.finish(fork(world, key))["status"] == "COMPLETED"


def test_the_same_key_makes_one_fork(world: World) -> None:
    source = ended(world)
    first = fork(world, source, idempotency="k")
    assert fork(world, source, idempotency="k") == first
    with pytest.raises(Conflict):
        fork(world, source, idempotency="k", prompt="Other.")


def test_a_fork_waits_in_line_like_any_other(world: World) -> None:
    source = ended(world)
    world.limits.change("acme", TenantLimits(active=1), 0)
    other, key = world.start(), fork(world, source)
    assert world.show(key)["waiting_for"].items() >= {"what": "slot", "place": "normal"}.items()
    world.finish(other)
    assert world.serve() == 1
    assert world.finish(key)["output"] == "turn 3: 20"


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"turn": 0}, "turn", "counted from 1"),
        ({"turn": -3}, "turn", "counted from 1"),
        ({"turn": True}, "turn", "integer"),
        ({"turn": 3}, "turn", "turn 3 is the run's answer"),
        ({"turn": 4}, "turn", "no turn 4 with results: it has 2"),
        ({"model": "gpt-99-nonsense"}, "model", "has no price"),
        ({"prompt": "  "}, "prompt", "at least 1 character"),
        ({"results": {"call_1_2": 1}}, "results.call_1_2", "make no call"),
        ({"results": {"call_2_1": 1}}, "results.call_2_1", "up to 1 make no call"),
        ({"results": {"call_1_1": "x" * 70_000}}, "results", "larger than"),
        ({"input": "other"}, "input", "Extra inputs"),
    ],
)
def test_what_cannot_be_forked_is_told_with_its_field(
    world: World, asked: dict[str, Any], field: str, says: str
) -> None:
    source = ended(world)
    heads = dict(world.runtime.heads)
    with pytest.raises(InvalidRequest, match=says) as refused:
        fork(world, source, **asked)
    assert refused.value.field == field
    assert refused.value.fix
    assert world.runtime.heads == heads


def test_a_run_that_called_nothing_a_foreign_and_an_unknown_run_cannot_be_forked(world: World) -> None:
    world.register(an_agent_body(id="plain"))
    key = world.start("plain")
    world.finish(key)
    with pytest.raises(InvalidRequest, match="turn 1 is the run's answer") as refused:
        fork(world, key)
    assert "has called no tool" in (refused.value.fix or "")
    for run in (RunKey(tenant="acme", run="run_" + "0" * 26), RunKey(tenant="acme", run="nonsense")):
        with pytest.raises((NotFound, InvalidRequest)):
            fork(world, run)
    case = ForkRun(Start(world.ports, world.registry), world._definition, lambda _: {})
    with pytest.raises(NotFound):
        case(type(ACME)(tenant="globex", principal="eve"), key.run, {"turn": 1}, None)


def test_an_agent_that_asks_for_it_is_not_forked_over_its_budget(world: World) -> None:
    def refuse(*_: Any) -> None:
        raise BudgetExceeded("too much")

    source = ended(world)
    case = ForkRun(Start(world.ports, world.registry, refuse), world._definition, lambda _: {})
    with pytest.raises(StepwardError, match="too much"):
        case(ACME, source.run, {"turn": 1}, None)
