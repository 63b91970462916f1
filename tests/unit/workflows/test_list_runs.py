from __future__ import annotations

import pytest

from stepward.adapters.memory.runtime_state import MemoryRuntimeState
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.adapters.memory.workflow_runs import MemoryWorkflowRuns
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from stepward.domain.run_lists import read_since
from stepward.domain.runs import RunStatus
from stepward.domain.task_records import WorkflowHead
from stepward.workflows.services.list_runs import KINDS, ListRuns, RunKind
from tests.support.builders import LATER, a_head, a_key


class Runs:
    """Ten runs, agents' and workflows' in turn, one a minute; the third and the sixth have failed."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.agents = MemoryRuntimeState.__new__(MemoryRuntimeState)
        self.agents.heads = {}
        self.workflows = MemoryWorkflowRuns(MemoryTaskStore(), self.clock)
        for number in range(1, 11):
            at = f"2026-01-01T00:{number:02d}:00.000Z"
            status = RunStatus.FAILED if number in (3, 6) else RunStatus.COMPLETED
            if number % 2:
                self.agents.heads[a_key(number)] = a_head(number, created_at=at, status=status)
            else:
                self.workflows.heads[a_key(number)] = a_workflow_head(number, at, status.value)
        self.all = ListRuns(self.agents, self.agents, self.workflows, self.clock)

    def numbers(self, **query: str) -> list[list[int]]:
        pages, cursor = [], {}
        while True:
            page = self.all.list("acme", {"limit": "3", **query, **cursor})
            pages.append([int(run["id"].removeprefix("run_")) for run in page["runs"]])
            if page["next_cursor"] is None:
                return [page for page in pages if page]
            cursor = {"cursor": page["next_cursor"]}


def a_workflow_head(number: int, at: str, status: str) -> WorkflowHead:
    return WorkflowHead.model_validate(
        {
            "run": a_key(number).run, "tenant": "acme", "workflow": "review", "version": "1.0.0", "principal": "ann",
            "status": status, "machine": "abc", "created_at": at, "deadline_at": LATER,
        }
    )  # fmt: skip


def test_runs_of_both_kinds_are_listed_newest_first_page_by_page() -> None:
    assert Runs().numbers() == [[10, 9, 8], [7, 6, 5], [4, 3, 2], [1]]
    listed = Runs().all.list("acme", {})["runs"]
    assert [run["kind"] for run in listed[:2]] == ["workflow", "agent"]
    assert Runs().all.list("other", {}) == {"runs": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "agent"}, [[9, 7, 5], [3, 1]]),
        ({"kind": "workflow"}, [[10, 8, 6], [4, 2]]),
        ({"agent": "helper"}, [[9, 7, 5], [3, 1]]),
        ({"workflow": "review", "kind": "workflow"}, [[10, 8, 6], [4, 2]]),
        ({"workflow": "another"}, []),
        ({"status": "FAILED"}, [[6, 3]]),
        ({"status": "FAILED", "kind": "agent"}, [[3]]),
        ({"since": "2026-01-01T00:08:00Z"}, [[10, 9, 8]]),
        ({"since": "2026-01-01T01:08:00+01:00"}, [[10, 9, 8]]),
        ({"day": "2026-01-01", "limit": "10"}, [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]),
        ({"day": "2026-01-02"}, []),
    ],
)
def test_a_list_is_narrowed(query: dict[str, str], expected: list[list[int]]) -> None:
    assert Runs().numbers(**query) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"kind": "job"}, "kind"),
        ({"agent": "helper", "workflow": "review"}, "workflow"),
        ({"agent": "helper", "kind": "workflow"}, "agent"),
        ({"workflow": "review", "kind": "agent"}, "workflow"),
        ({"agent": "No Id"}, "agent"),
        ({"status": "DONE"}, "status"),
        ({"status": "PARTIALLY_COMPLETED", "kind": "agent"}, "status"),
        ({"status": "RATE_LIMITED", "workflow": "review"}, "status"),
        ({"stauts": "FAILED"}, "stauts"),
        ({"day": "today"}, "day"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"since": "\uff19d"}, "since"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "../../etc"}, "cursor"),
        ({"cursor": "bm9uZQ"}, "cursor"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused_by_name(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Runs().all.list("acme", query)
    assert caught.value.field == field
    assert caught.value.fix


def test_a_span_counts_back_from_now() -> None:
    now = StillClock().now()
    assert read_since("24h", now) == read_since("1d", now) == read_since("1440m", now)
    assert read_since("2026-11-21", now) == "2026-11-21T00:00:00.000Z"


def not_found(runs: Runs, kind: RunKind, run: int, tenant: str = "acme") -> None:
    with runs.all.of_kind(kind, tenant, a_key(run).run):
        raise NotFound("there is no run.")


def test_a_run_of_the_other_kind_is_refused_in_words() -> None:
    runs = Runs()
    with pytest.raises(Conflict, match="run of the workflow 'review'"):
        not_found(runs, "agent", 2)
    with pytest.raises(Conflict, match="run of the agent 'helper'"):
        not_found(runs, "workflow", 1)
    for kind in KINDS:
        with pytest.raises(NotFound):
            not_found(runs, kind, 11)
        with pytest.raises(NotFound):
            not_found(runs, kind, 1, tenant="other")
    with runs.all.of_kind("agent", "acme", a_key(1).run):
        pass  # What finds its run goes through.
