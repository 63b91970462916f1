"""The words that the SDK's types allow are those of the product."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import pytest

from stepward.cli.output import STATUS_STYLES
from stepward.domain.agents import Capability
from stepward.domain.approvals import ApprovalStatus
from stepward.domain.budgets import SETTABLE
from stepward.domain.costs import CostBy
from stepward.domain.lifecycle import AgentState
from stepward.domain.runs import CommonHead, RunStatus
from stepward.domain.task_records import TaskStatus, WorkflowStatus
from stepward.ports.workflow_registry import VersionStatus
from stepward.sdk import approvals, costs, shapes, workflow_shapes

ACTIVE = {RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING}


@pytest.mark.parametrize(
    ("words", "product"),
    [
        (shapes.RunStatus, RunStatus),
        (shapes.AgentState, AgentState),
        (shapes.Capability, Capability),
        (workflow_shapes.WorkflowRunStatus, WorkflowStatus),
        (workflow_shapes.WorkflowVersionStatus, VersionStatus),
        (get_type_hints(approvals.Approval)["status"], ApprovalStatus),
        (costs.By, CostBy),
        (costs.Scope, SETTABLE),
    ],
)
def test_each_word_is_one_of_the_products_and_none_is_missing(words: Any, product: Iterable[StrEnum]) -> None:
    assert sorted(get_args(words)) == sorted(product)


@pytest.mark.parametrize("status", [*RunStatus, *WorkflowStatus, *TaskStatus, *VersionStatus])
def test_each_status_has_a_colour(status: StrEnum) -> None:
    assert status in STATUS_STYLES or status is VersionStatus.ARCHIVED


def test_the_statuses_of_an_end_are_those_after_which_nothing_comes() -> None:
    assert {
        status for status in RunStatus if status not in ACTIVE and status is not RunStatus.RATE_LIMITED
    } == shapes.FINAL_STATUSES


def test_what_heads_have_in_common_is_what_runs_have_in_common() -> None:
    hidden, added = {"run", "tenant", "epoch"}, {"id", "parent"}
    assert get_type_hints(shapes.AnyRun).keys() == CommonHead.model_fields.keys() - hidden | added
