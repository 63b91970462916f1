"""A trigger says who answers the runs that it starts, as a start does; one from before says nothing of it."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.answering import StageAnswers
from stepward.agents.start import Start
from stepward.domain.errors import InvalidRequest
from stepward.domain.triggers import KeptTrigger, Trigger
from stepward.models import catalog
from tests.support.builders import an_agent_body
from tests.support.driver import ACME
from tests.unit.agents.paying import Paid
from tests.unit.triggers.test_firing import Doors, an_object

BEFORE = {
    "tenant": "acme",
    "trigger": {"id": "files", "kind": "s3", "agent": "helper", "s3": {"prefix": "inbox/"}},
    "created_at": "2026-01-01T00:00:00.000Z",
    "created_by": "ann",
    "since": "2026-01-01T00:00:00.000Z",
}


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    monkeypatch.setattr(catalog, "gateway_for", lambda *_: Paid())
    doors = Doors()
    doors.start = Start(doors.world.ports, doors.world.registry)
    return doors


def chosen(doors: Doors) -> list[tuple[bool, bool]]:
    return [(head.rehearsed, head.charged) for head in doors.world.runtime.heads.values()]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, (True, False)),
        ({"charge": True}, (True, True)),
        ({"rehearse": False}, (False, True)),
        ({"rehearse": True}, (True, False)),
    ],
)
def test_a_trigger_says_who_answers(doors: Doors, said: dict[str, Any], found: tuple[bool, bool]) -> None:
    doors.add("files", s3={}, **said)
    assert doors.receive(an_object()).started == 1
    assert chosen(doors) == [found]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"rehearse": "no"}, "rehearse"),
        ({"rehearse": 1}, "rehearse"),
        ({"charge": "yes"}, "charge"),
        ({"rehearse": False, "charge": False}, "charge"),
        ({"agent": "alone", "rehearse": True}, "rehearse"),
    ],
)
def test_a_choice_that_no_run_could_have_is_refused_with_the_trigger(
    doors: Doors, said: dict[str, Any], field: str
) -> None:
    doors.world.register(an_agent_body(id="alone", rehearsal=None))
    with pytest.raises(InvalidRequest) as refused:
        doors.define.add(ACME, {"id": "files", "kind": "s3", "agent": "helper", "s3": {}, **said})
    assert (refused.value.field, bool(refused.value.fix)) == (field, True)
    assert doors.triggers.trigger("acme", "files") is None


def test_a_trigger_from_before_keeps_its_words_and_spends_nothing(doors: Doors) -> None:
    kept = KeptTrigger.model_validate(BEFORE)
    assert Trigger.model_validate(BEFORE["trigger"]).model_dump(exclude_unset=True) == {
        **BEFORE["trigger"],  # type: ignore[dict-item]
    }
    assert not {"rehearse", "charge"} & kept.model_dump(mode="json")["trigger"].keys()
    doors.triggers.add(kept, None)
    assert doors.receive(an_object()).started == 1
    assert chosen(doors) == [(True, False)]


def test_the_stage_decides_for_triggers_too(doors: Doors) -> None:
    doors.add("files", s3={})
    stage = StageAnswers(rehearsals=False)
    doors.start = Start(doors.world.ports, doors.world.registry, stage=stage)
    doors.receive(an_object())
    assert chosen(doors) == [(False, True)]


def test_a_workflow_is_started_as_its_trigger_says(doors: Doors) -> None:
    doors.flows.register([{"id": "a", "type": "agent", "agent": "helper"}])
    doors.add("files", s3={}, workflow="flow", rehearse=True, charge=True)
    assert doors.receive(an_object()).started == 1
    (head,) = doors.flows.runs.heads.values()
    assert (head.rehearsed, head.charged) == (True, True)
