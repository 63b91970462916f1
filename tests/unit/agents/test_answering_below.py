"""Runs below a run, and those that go on from one, keep its choice of who answers; none of them spends unasked."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.answering import StageAnswers
from stepward.agents.diff_runs import DiffRuns
from stepward.agents.fork import ForkRun
from stepward.domain.conversation import ModelReply, ToolCall
from stepward.domain.errors import InvalidRequest, RehearsalMissing
from stepward.domain.money import Usage
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import ACME, World
from tests.unit.agents.paying import Paid, a_world, begin, first

SUM = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}]}


def an_asker(tool: str = "agent", **changed: Any) -> dict[str, Any]:
    call = {
        "agent": {"tool": "ask_expert", "arguments": {"input": "What?"}},
        "handoff": {"tool": "transfer_to_expert", "arguments": {"reason": "yours"}},
    }[tool]
    turns = {"turns": [{"call": [call]}, {"say": "{% 'asked: ' & $string($last) %}"}]}
    return an_agent_body(tools=[{tool: "expert"}], rehearsal=turns, **changed)


def test_the_runs_below_inherit_the_choice() -> None:
    world = a_world(an_agent_body(id="expert"), an_asker())
    world.finish(begin(world, charge=True))
    assert {(head.agent, head.rehearsed, head.charged) for head in world.runtime.heads.values()} == {
        ("helper", True, True),
        ("expert", True, True),
    }


@pytest.mark.parametrize("tool", ["agent", "handoff"])
def test_a_rehearsed_run_is_refused_whose_agents_are_not_all_rehearsed(tool: str, paid: Paid) -> None:
    world = a_world(an_agent_body(id="expert", rehearsal=None), an_asker(tool))
    with pytest.raises(RehearsalMissing, match="'expert'") as refused:
        begin(world)
    assert (refused.value.field, world.runtime.heads) == ("tools.0.config.agent", {})
    assert '"rehearse": false' in (refused.value.fix or "")
    assert begin(world, rehearse=False)
    assert paid.calls == 0


def swapped(world: World) -> None:
    """Let the expert's newest version lose its rehearsal while a run is under way."""
    world.register(an_agent_body(id="expert", version="2.0.0", rehearsal=None))


def test_a_hand_over_to_a_model_ends_a_rehearsed_run_by_its_name(paid: Paid) -> None:
    world = a_world(an_agent_body(id="expert"), an_asker("handoff"))
    key = begin(world)
    swapped(world)
    run = world.finish(key)
    assert (run["status"], run["error"]["code"], paid.calls) == ("FAILED", "RehearsalMissing", 0)
    assert "'expert'" in run["error"]["detail"]
    assert world.kinds(key)[-2:] == ["results", "ended"]


def test_a_call_of_a_model_is_refused_to_a_rehearsed_run(paid: Paid) -> None:
    world = a_world(an_agent_body(id="expert"), an_asker())
    key = begin(world)
    swapped(world)
    run = world.finish(key)
    assert run["status"] == "COMPLETED"
    assert "RehearsalMissing" in str(world.events(key))
    assert (len(world.runtime.heads), paid.calls) == (1, 0)


def test_a_run_of_models_hands_over_to_models(paid: Paid) -> None:
    world = a_world(an_agent_body(id="expert", model="deep"), an_asker("handoff"))
    call = ToolCall(id="call_1_1", tool="transfer_to_expert", arguments={"reason": "yours"})
    paid.replies = [ModelReply(text="Not mine.", calls=(call,), usage=Usage(input_tokens=1), stop="tools")]
    run = world.finish(begin(world, rehearse=False))
    assert (run["status"], run["answered_by"]) == ("COMPLETED", "claude-sonnet-5-5, claude-opus-5-5")


def a_fork(world: World, key: RunKey, **said: Any) -> RunKey:
    case = ForkRun(world.starter, world._definition, lambda _: {})
    return case(ACME, key.run, {"turn": 1, **said}, None)[0].key


def a_source(**said: Any) -> tuple[World, RunKey]:
    body = an_agent_body(tools=[{"tool": "calculate"}], rehearsal={"turns": [SUM, {"say": "42"}]})
    world = a_world(body)
    key = begin(world, **said)
    world.finish(key)
    return world, key


@pytest.mark.parametrize("charge", [True, False])
def test_a_fork_keeps_what_its_source_had(charge: bool) -> None:
    world, source = a_source(charge=charge)
    world.stage = StageAnswers(rehearsals=False, charge_rehearsals=not charge)
    created = first(world, a_fork(world, source))
    assert (created.rehearsed, created.charged) == (True, charge)


def test_a_model_may_go_on_where_a_rehearsal_was(paid: Paid) -> None:
    world, source = a_source()
    key = a_fork(world, source, rehearse=False, model="deep")
    run = world.finish(key)
    assert (run["output"], run["answered_by"], run["charged"]) == (
        "From the model.",
        "claude-opus-5-5",
        True,
    )
    assert paid.calls == 1
    parted = DiffRuns(world.journal, world.runtime)("acme", source.run, {"with": key.run})
    assert parted["start"]["rehearsed"] == {"left": True, "right": False}
    back = a_fork(world, key, rehearse=True)
    assert (first(world, back).rehearsed, first(world, back).charged) == (True, False)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"rehearse": False, "model": "openvino/qwen3-8b"}, "model"),
        ({"charge": 1}, "charge"),
        ({"rehearse": "no"}, "rehearse"),
    ],
)
def test_a_fork_that_nobody_can_answer_is_refused(said: dict[str, Any], field: str) -> None:
    world, source = a_source()
    with pytest.raises(InvalidRequest) as refused:
        a_fork(world, source, **said)
    assert (refused.value.field, len(world.runtime.heads)) == (field, 1)
