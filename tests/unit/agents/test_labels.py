"""A label is a version by another name, which can be moved; a run keeps the version that it began with."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.lifecycle import MOST_LABELS
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from tests.support.driver import ACME
from tests.unit.agents.life import Life


@pytest.fixture
def life() -> Life:
    life = Life()
    life.register(rehearsal={"turns": [{"say": "One."}]})
    life.register(version="2.0.0", rehearsal={"turns": [{"say": "Two."}]})
    return life


def started(life: Life, version: str) -> str:
    from stepward.agents.start import Start

    start = Start(life.world.ports, life.world.registry)
    return start(ACME, "helper", {"input": "hi", "version": version}, None)[0].version


def test_a_run_gets_the_version_that_its_label_means(life: Life) -> None:
    life.labels.put("acme", "helper", "prod", {"version": "1.0.0"})
    assert [started(life, name) for name in ("prod", "latest", "1.0.0")] == ["1.0.0", "2.0.0", "1.0.0"]
    life.labels.put("acme", "helper", "prod", {"version": "2.0.0"})
    assert started(life, "prod") == "2.0.0"
    assert life.show(version="prod")["version"] == "2.0.0"
    assert [one["label"] for one in life.labels.list("acme", "helper")["labels"]] == ["latest", "prod"]


def test_a_label_that_is_gone_starts_nothing(life: Life) -> None:
    life.labels.put("acme", "helper", "prod", {"version": "1.0.0"})
    life.labels.remove("acme", "helper", "prod")
    with pytest.raises(NotFound) as refused:
        started(life, "prod")
    assert refused.value.field == "version"
    with pytest.raises(NotFound):
        life.labels.remove("acme", "helper", "prod")


@pytest.mark.parametrize(
    ("label", "body", "error", "field"),
    [
        ("latest", {"version": "1.0.0"}, InvalidRequest, "label"),
        ("Prod", {"version": "1.0.0"}, InvalidRequest, "label"),
        ("1.0.0", {"version": "1.0.0"}, InvalidRequest, "label"),
        ("prod", {"version": "prod"}, InvalidRequest, "version"),
        ("prod", {}, InvalidRequest, "version"),
        ("prod", {"version": "3.0.0"}, NotFound, "version"),
    ],
)
def test_a_wrong_label_changes_nothing(
    life: Life, label: str, body: dict[str, Any], error: type[InvalidRequest | NotFound], field: str
) -> None:
    with pytest.raises(error) as refused:
        life.labels.put("acme", "helper", label, body)
    assert refused.value.field == field
    assert len(life.labels.list("acme", "helper")["labels"]) == 1


def test_latest_cannot_be_taken_away(life: Life) -> None:
    with pytest.raises(InvalidRequest):
        life.labels.remove("acme", "helper", "latest")


def test_labels_have_a_limit_and_moving_one_is_always_possible(life: Life) -> None:
    for number in range(MOST_LABELS):
        life.labels.put("acme", "helper", f"l{number}", {"version": "1.0.0"})
    life.labels.put("acme", "helper", "l3", {"version": "2.0.0"})
    with pytest.raises(Conflict):
        life.labels.put("acme", "helper", "more", {"version": "1.0.0"})


def test_the_terminated_and_the_unknown_get_no_labels(life: Life) -> None:
    life.end()
    with pytest.raises(Conflict):
        life.labels.put("acme", "helper", "prod", {"version": "1.0.0"})
    with pytest.raises(NotFound):
        life.labels.list("acme", "nobody")
