"""Who answers a run is decided once, at its start: its rehearsal unless somebody says otherwise, and never a model unasked."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.answering import StageAnswers
from stepward.domain.errors import Conflict, InvalidRequest, RehearsalMissing
from stepward.domain.journal import Created, parse_record
from stepward.domain.runs import AnswerChoice, Answers
from tests.support.builders import a_created, an_agent, an_agent_body
from tests.unit.agents.paying import Paid, a_world, begin

ALONE = an_agent_body(rehearsal=None)


@pytest.mark.parametrize(
    ("stage", "said", "found"),
    [
        (StageAnswers(), {}, Answers(rehearsed=True, charged=False)),
        (StageAnswers(), {"charge": True}, Answers(rehearsed=True, charged=True)),
        (StageAnswers(), {"rehearse": False}, Answers(rehearsed=False, charged=True)),
        (StageAnswers(rehearsals=False), {}, Answers(rehearsed=False, charged=True)),
        (StageAnswers(rehearsals=False), {"rehearse": True}, Answers(rehearsed=True, charged=False)),
        (StageAnswers(charge_rehearsals=True), {}, Answers(rehearsed=True, charged=True)),
        (StageAnswers(charge_rehearsals=True), {"charge": False}, Answers(rehearsed=True, charged=False)),
        (StageAnswers(), {"rehearse": False, "charge": True}, Answers(rehearsed=False, charged=True)),
    ],
)
def test_the_start_says_who_answers_and_else_the_stage(
    stage: StageAnswers, said: dict[str, bool], found: Answers
) -> None:
    assert stage.choose(an_agent(), AnswerChoice(**said)) == found


@pytest.mark.parametrize("stage", [StageAnswers(), StageAnswers(rehearsals=False)])
def test_a_model_alone_answers_without_being_asked_for(stage: StageAnswers) -> None:
    assert stage.choose(an_agent(rehearsal=None), AnswerChoice()) == Answers(rehearsed=False)


def test_a_rehearsal_that_is_not_there_is_refused_with_what_to_do() -> None:
    with pytest.raises(RehearsalMissing, match="'helper' has no rehearsal") as refused:
        begin(a_world(ALONE), rehearse=True)
    assert (refused.value.field, refused.value.http_status) == ("rehearse", 400)
    assert refused.value.fix


@pytest.mark.parametrize("said", ["no", 0, 1, "false", {}])
@pytest.mark.parametrize("field", ["rehearse", "charge"])
def test_what_is_no_boolean_is_refused(field: str, said: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        begin(a_world(an_agent_body()), **{field: said})
    assert refused.value.field == field


def test_what_a_model_answers_cannot_go_uncharged(paid: Paid) -> None:
    world = a_world(an_agent_body())
    with pytest.raises(InvalidRequest, match="always charged") as refused:
        begin(world, rehearse=False, charge=False)
    assert (refused.value.field, paid.calls, world.runtime.heads) == ("charge", 0, {})


def test_a_run_shows_that_its_rehearsal_answered(paid: Paid) -> None:
    world = a_world(an_agent_body())
    run = world.finish(begin(world))
    assert (run["output"], run["rehearsed"], run["answered_by"]) == ("Done.", True, "rehearsal")
    assert (run["charged"], paid.calls) == (False, 0)


def test_a_run_shows_which_model_answered(paid: Paid) -> None:
    world = a_world(an_agent_body())
    key = begin(world, rehearse=False)
    assert world.show(key)["answered_by"] == "claude-sonnet-5-5"
    run = world.finish(key)
    assert (run["output"], run["rehearsed"], run["answered_by"]) == (
        "From the model.",
        False,
        "claude-sonnet-5-5",
    )
    assert (run["charged"], paid.calls) == (True, 1)
    (turn,) = [event["data"] for event in world.events(key) if event["type"] == "agent.turn.completed"]
    assert turn["model"] == "claude-sonnet-5-5"


def test_the_choice_is_made_once_whatever_the_stage_says_later(paid: Paid) -> None:
    world = a_world(an_agent_body())
    key = begin(world)
    world.stage = StageAnswers(rehearsals=False, charge_rehearsals=True)
    run = world.finish(key)
    assert (run["answered_by"], run["charged"], paid.calls) == ("rehearsal", False, 0)


def test_an_agent_may_have_a_model_alone(paid: Paid) -> None:
    world = a_world(ALONE)
    assert world.finish(begin(world))["output"] == "From the model."
    assert paid.calls == 1


def test_no_agent_is_kept_that_nobody_could_answer() -> None:
    with pytest.raises(InvalidRequest) as refused:
        a_world(an_agent_body(rehearsal=None, model="openvino/qwen3-8b"))
    (told,) = [one for one in refused.value.errors if one["field"] == "model"]
    assert "has no rehearsal" in told["detail"]
    assert told["fix"]


def test_a_misspelt_model_is_told_first_and_once_with_the_nearest_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        a_world(an_agent_body(rehearsal=None, model="claude-hayku"))
    assert [one["field"] for one in refused.value.errors] == ["model"]
    assert str(refused.value.fix).startswith("did you mean 'claude-haiku-5-5'?")
    script = {"turns": [{"call": [{"tool": "no_such", "arguments": {}}]}]}
    with pytest.raises(InvalidRequest) as refused:
        a_world(an_agent_body(rehearsal=script, model="claude-hayku"))
    assert [one["field"] for one in refused.value.errors] == ["model", "rehearsal.turns.0.call.0.tool"]


def test_a_model_that_nobody_can_ask_is_refused_at_the_start() -> None:
    world = a_world(an_agent_body(), rehearsals=False)
    world.swap_version(an_agent_body(model="openvino/qwen3-8b"))
    with pytest.raises(InvalidRequest, match="no provider can serve the model") as refused:
        begin(world)
    assert refused.value.field == "model"
    assert '"rehearse": true' in (refused.value.fix or "")
    assert world.show(begin(world, rehearse=True))["answered_by"] == "rehearsal"


def test_one_key_means_one_choice(paid: Paid) -> None:
    world = a_world(an_agent_body())
    key = begin(world, key="k-1", rehearse=False)
    assert begin(world, key="k-1", rehearse=False) == key
    for said in ({}, {"rehearse": True}, {"rehearse": False, "charge": True}):
        with pytest.raises(Conflict):
            begin(world, key="k-1", **said)


def test_a_key_from_before_there_was_a_choice_still_finds_its_run() -> None:
    said = {"input": "hello", "version": None, "deadline_s": None, "priority": None}
    from stepward.agents.start import StartRequest

    assert StartRequest.model_validate(said).model_dump(mode="json") == said


def test_older_journals_are_charged_and_keep_their_bytes() -> None:
    old = a_created().model_dump_json()
    assert "charged" not in old
    record = parse_record(old)
    assert isinstance(record, Created)
    assert record.charged
    assert record.model_dump_json() == old
    assert '"charged":false' in a_created(charged=False).model_dump_json()
