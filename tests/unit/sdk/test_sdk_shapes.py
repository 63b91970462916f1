"""The types of the SDK name what the API sends."""

from __future__ import annotations

from typing import Any, NotRequired, get_origin, get_type_hints

import pytest

from stepward.agents.show_runs import new_run_view
from stepward.domain.aws_prices import AwsCost as SentCost
from stepward.domain.runs import RunStatus, Totals, run_view
from stepward.domain.task_records import WorkflowTotals as SentTotals
from stepward.sdk.shapes import AwsCost, Run, RunTotals
from stepward.sdk.workflow_shapes import WorkflowTotals
from tests.support.builders import a_head
from tests.unit.sdk.fake_api import FakeApi, a_run, ok


def test_a_run_has_the_fields_of_its_type() -> None:
    head = a_head(status=RunStatus.COMPLETED, aws=SentCost(counts={}, usd_micros=3))
    sent: dict[str, Any] = {**new_run_view(head, "hello"), **run_view(head)}
    assert sent.keys() <= get_type_hints(Run).keys()
    hints = get_type_hints(Run, include_extras=True)
    assert {name for name, hint in hints.items() if get_origin(hint) is not NotRequired} <= sent.keys()
    assert Totals.model_fields.keys() == get_type_hints(RunTotals).keys()
    assert SentCost.model_fields.keys() == get_type_hints(AwsCost).keys()
    assert SentTotals.model_fields.keys() == get_type_hints(WorkflowTotals).keys()


def test_a_start_refuses_an_option_that_no_start_has() -> None:
    client, misspelt = FakeApi([]).client(), {"rehears": True}
    starts: tuple[Any, ...] = (client.start_run, client.workflows.start)
    for start in starts:
        with pytest.raises(TypeError, match="no option 'rehears'"):
            start("helper", "hello", **misspelt)


def test_a_start_may_say_its_priority_and_who_answers() -> None:
    api = FakeApi([ok(a_run(), 202)])
    api.client().start_run("helper", "hello", priority="high", rehearse=False, charge=True)
    assert api.body() == {"input": "hello", "priority": "high", "rehearse": False, "charge": True}
