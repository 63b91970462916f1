"""What each task type says of itself, and what follows from it elsewhere."""

from __future__ import annotations

import pytest

from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import TaskType
from stepward.tasks.catalog import CATALOG, all_types, find_type, steps_of
from stepward.tasks.facts import Step

KEPT_BY = {Step.CALL, Step.AWAIT, Step.KEEP, Step.ROUNDS}
"""What keeps a task's outcome."""


@pytest.mark.parametrize("name", CATALOG)
def test_a_type_says_all_that_others_ask(name: str) -> None:
    kind = find_type(name)
    assert kind.name == name
    assert kind.purpose.endswith(".")
    assert kind.picture.color.startswith("#")
    assert kind.picture.sign.startswith("M")
    assert {*kind.expressions, *kind.later, *kind.questions} <= kind.settings.model_fields.keys()
    assert set(kind.markers) <= kind.settings.model_fields.keys()
    assert set(kind.later) <= set(kind.expressions) >= set(kind.questions)


@pytest.mark.parametrize("name", CATALOG)
def test_a_task_begins_once_and_keeps_its_outcome_once(name: str) -> None:
    kind = find_type(name)
    assert kind.is_group or sum(step in KEPT_BY for step in kind.steps) == 1
    assert kind.begins == (len(kind.steps) > 1)
    assert (kind.bound is not None) == kind.repeats
    assert bool(kind.variables) == kind.repeats


@pytest.mark.parametrize("name", CATALOG)
def test_what_a_step_asks_of_its_type_is_there(name: str) -> None:
    kind = find_type(name)
    implements = {
        one for one in ("run", "open", "rounds") if getattr(type(kind), one) is not getattr(TaskType, one)
    }
    assert (Step.CALL in kind.steps) <= ("run" in implements)
    assert (Step.AWAIT in kind.steps) <= ("open" in implements)
    assert kind.repeats == ("rounds" in implements)
    if Step.ITEMS in kind.steps:
        assert {"items", "max_parallel", "collect", "chunk_size"} <= kind.settings.model_fields.keys()
    if Step.ROUNDS in kind.steps:
        assert {"until", "collect"} <= kind.settings.model_fields.keys()
    if Step.PAUSE in kind.steps:
        assert hasattr(kind.settings, "left_s")


def test_no_two_types_are_told_by_the_same_field() -> None:
    told = [field for kind in all_types() for field in kind.markers]
    assert len(told) == len(set(told))


def test_a_webhook_is_awaited_only_if_it_waits_for_a_call() -> None:
    def steps(**settings: object) -> tuple[Step, ...]:
        return steps_of(TaskDefinition(id="t", type="webhook", settings=settings))

    assert steps(url="https://example.com") == (Step.CALL,)
    assert steps(wait_for_call=True) == (Step.AWAIT,)
