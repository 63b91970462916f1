"""What every list of workflows' runs promises."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.aws.cost_book import DynamoCostBook
from stepward.adapters.aws.task_store import DynamoTaskStore
from stepward.adapters.aws.workflow_runs import DynamoWorkflowRuns
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.adapters.memory.workflow_runs import MemoryWorkflowRuns
from stepward.domain.aws_prices import AwsCost
from stepward.domain.costs import CostLine
from stepward.domain.errors import Conflict, NotFound
from stepward.domain.run_lists import RunFilter
from stepward.domain.runs import RunError, RunKey
from stepward.domain.task_records import (
    TaskPlace,
    WorkflowHead,
    WorkflowParent,
    WorkflowStatus,
    WorkflowTotals,
)
from stepward.ports.runs import IdempotencyKey
from stepward.ports.tasks import WorkflowStarted
from stepward.ports.workflow_runs import NewWorkflowRun, WorkflowEnd, WorkflowRuns
from tests.support.builders import AT, LATER, a_key, a_new_run


def a_run(
    number: int = 1, *, given: Any = None, key: IdempotencyKey | None = None, **changed: Any
) -> NewWorkflowRun:
    head = WorkflowHead.model_validate(
        {
            "run": a_key(number).run, "tenant": "acme", "workflow": "review", "version": "1.0.0", "principal": "ann",
            "status": "RUNNING", "machine": "abc", "created_at": AT, "deadline_at": LATER, **changed,
        }
    )  # fmt: skip
    started = WorkflowStarted(
        workflow=head.workflow, version=head.version, principal="ann", at=AT, deadline_at=LATER
    )
    return NewWorkflowRun(head, started, given, key)


def a_word(body: str = "body", key: str = "key", expires_at: int = 2_000_000_000) -> IdempotencyKey:
    return IdempotencyKey(principal="ann", key=key, body_sha256=body, expires_at=expires_at)


def an_end(status: WorkflowStatus = WorkflowStatus.COMPLETED, **more: Any) -> WorkflowEnd:
    return WorkflowEnd(status=status, ended_at=LATER, totals=WorkflowTotals(tasks=2, completed=2), **more)


@pytest.fixture
def both(ports: Any) -> tuple[WorkflowRuns, Any]:
    if type(ports.journal).__name__.startswith("Memory"):
        store = MemoryTaskStore()
        return MemoryWorkflowRuns(store, ports.clock), store
    on_aws = DynamoTaskStore(ports.journal)
    return DynamoWorkflowRuns("runtime", on_aws, ports.clock), on_aws


@pytest.fixture
def runs(both: tuple[WorkflowRuns, Any]) -> WorkflowRuns:
    return both[0]


def test_a_start_that_is_taken_back_leaves_nothing_to_be_seen(runs: WorkflowRuns) -> None:
    taken, word = a_run(1, key=a_word()), a_word()
    runs.start(taken)
    runs.withdraw(taken.head, word)
    assert runs.head(taken.head.key) is None
    assert runs.list_runs("acme", RunFilter(), limit=10).runs == []
    assert runs.list_runs("acme", RunFilter(name="review"), limit=10).runs == []
    assert runs.open_runs("9999", 10) == []
    assert runs.count_open("acme", "review", "1.0.0") == 0
    assert runs.start(a_run(2, key=word)) == (a_run(2).head, True)


def test_a_run_that_has_ended_is_not_taken_back(runs: WorkflowRuns) -> None:
    kept = a_run(1, key=a_word())
    runs.start(kept)
    runs.close(kept.head.key, an_end())
    runs.withdraw(kept.head, a_word())
    assert runs.head(kept.head.key) is not None
    assert runs.start(a_run(2, key=a_word()))[1] is False


def test_a_start_writes_everything(both: tuple[WorkflowRuns, Any]) -> None:
    runs, store = both
    place = TaskPlace(workflow="above", version="1.0.0", path="sub", started_at=AT, child=a_key().run)
    new = a_run(
        given={"a": [None]}, parent=WorkflowParent(run=a_key(7).run, place=place, ancestors=("above",))
    )
    assert runs.start(new) == (new.head, True)
    assert runs.head(new.head.key) == new.head
    assert store.given(new.head.key) == {"a": [None]}
    assert store.full_snapshot(new.head.key).started == new.started


def test_the_same_run_again_is_the_first(both: tuple[WorkflowRuns, Any]) -> None:
    runs, store = both
    runs.start(a_run(given=1))
    assert runs.start(a_run(given=2, machine="other")) == (a_run().head, False)
    assert store.given(a_key()) == 1


def test_a_key_starts_one_run(both: tuple[WorkflowRuns, Any]) -> None:
    runs, store = both
    assert runs.start(a_run(1, key=a_word()))[1] is True
    assert runs.start(a_run(2, key=a_word())) == (a_run(1).head, False)
    assert runs.head(a_key(2)) is None
    with pytest.raises(NotFound):
        store.given(a_key(2))
    with pytest.raises(Conflict, match="another request"):
        runs.start(a_run(3, key=a_word("another")))
    assert runs.start(a_run(4, key=a_word(key="second")))[1] is True


def test_a_key_whose_day_is_over_is_free(runs: WorkflowRuns) -> None:
    runs.start(a_run(1, key=a_word(expires_at=1_000)))
    assert runs.start(a_run(2, key=a_word("another")))[1] is True


def test_an_agents_run_is_no_workflows(runs: WorkflowRuns, ports: Any) -> None:
    ports.runtime.start(a_new_run(1))
    assert runs.head(a_key(1)) is None
    assert runs.head(a_key(2)) is None


def test_a_run_ends_once(runs: WorkflowRuns) -> None:
    runs.start(a_run())
    failed = an_end(WorkflowStatus.FAILED, error=RunError(code="TaskFailed", detail="why"))
    assert runs.close(a_key(), failed).done
    assert not runs.close(a_key(), an_end()).done
    head = runs.head(a_key())
    assert head is not None
    assert (head.status, head.ended_at, head.error) == (WorkflowStatus.FAILED, LATER, failed.error)
    assert head.totals == failed.totals
    assert not runs.close(a_key(2), an_end()).done
    assert runs.head(a_key(2)) is None


def test_open_runs_are_those_of_all_tenants_that_have_not_ended(runs: WorkflowRuns) -> None:
    for number, tenant, created_at in (
        (1, "acme", AT),
        (2, "other", "2025-12-31T00:00:00.000Z"),
        (3, "acme", LATER),
    ):
        runs.start(a_run(number, tenant=tenant, created_at=created_at))
    assert [head.tenant for head in runs.open_runs(LATER, 10)] == ["other", "acme"]
    assert len(runs.open_runs(LATER, 1)) == 1
    runs.close(a_key(1), an_end())
    assert [head.tenant for head in runs.open_runs(LATER, 10)] == ["other"]


def test_open_runs_are_listed_to_the_last_page(runs: WorkflowRuns) -> None:
    # Six megabytes: a page of DynamoDB ends after one, and whoever is not listed is looked after by nobody.
    for number in range(1, 21):
        runs.start(a_run(number, principal="x" * 300_000))
    assert len(runs.open_runs(LATER, 100)) == 20
    assert len(runs.open_runs(LATER, 7)) == 7


def test_open_runs_of_a_version_are_counted(runs: WorkflowRuns) -> None:
    for number, version in ((1, "1.0.0"), (2, "1.0.0"), (3, "1.1.0")):
        runs.start(a_run(number, version=version))
    assert runs.count_open("acme", "review", "1.0.0") == 2
    runs.close(a_key(1), an_end())
    assert runs.count_open("acme", "review", "1.0.0") == 1
    assert runs.count_open("other", "review", "1.0.0") == 0


@pytest.mark.parametrize(
    ("workflow", "expected"), [(None, [5, 4, 3, 2, 1]), ("review", [5, 3, 1]), ("none", [])]
)
def test_lists_are_newest_first_and_paged(
    runs: WorkflowRuns, workflow: str | None, expected: list[int]
) -> None:
    for number in (2, 1, 3, 5, 4):
        runs.start(
            a_run(
                number,
                workflow="review" if number % 2 else "other",
                created_at=f"2026-01-0{number}T00:00:00.000Z",
            )
        )
    runs.start(a_run(6, tenant="other"))
    found, before = [], None
    for _ in range(6):
        page = runs.list_runs("acme", RunFilter(name=workflow), limit=2, before=before)
        found += page.runs
        before = page.reached
        if before is None:
            break
    assert [head.run for head in found] == [a_key(number).run for number in expected]


def test_lists_are_narrowed_by_status_and_time(runs: WorkflowRuns) -> None:
    for number in (1, 2, 3):
        runs.start(a_run(number, created_at=f"2026-01-0{number}T00:00:00.000Z"))
    runs.close(a_key(1), an_end())
    ended = runs.list_runs("acme", RunFilter(status=an_end().status), limit=5)
    assert [head.run for head in ended.runs] == [a_key(1).run]
    late = runs.list_runs("acme", RunFilter(since="2026-01-02T00:00:00.000Z"), limit=1)
    assert [head.run for head in late.runs] == [a_key(3).run]
    rest = runs.list_runs("acme", RunFilter(since="2026-01-02T00:00:00.000Z"), limit=1, before=late.reached)
    assert ([head.run for head in rest.runs], rest.reached) == ([a_key(2).run], None)


def test_heads_of_other_tenants_are_not_there(runs: WorkflowRuns) -> None:
    runs.start(a_run())
    assert runs.head(RunKey(tenant="other", run=a_key().run)) is None


def test_an_end_is_booked_with_the_end_that_stays(runs: WorkflowRuns) -> None:
    runs.start(a_run())
    aws = AwsCost(counts={"transitions": 3}, usd_micros=80)
    line = CostLine(day=LATER[:10], workflow="review", runs=1, aws_usd_micros=80, tool_usd_micros=5)
    assert runs.close(a_key(), an_end(aws=aws), line).done
    assert not runs.close(a_key(), an_end(aws=aws), line).done
    head = runs.head(a_key())
    assert head is not None and head.aws == aws
    in_memory = isinstance(runs, MemoryWorkflowRuns)
    book = runs.cost_book if in_memory else DynamoCostBook("runtime")
    assert book.lines("acme", "2026-01-01", LATER[:10]) == [line]


def test_lists_say_whether_agents_are_rehearsed_and_charged(both: tuple[WorkflowRuns, Any]) -> None:
    runs, _ = both
    runs.start(a_run(1))
    runs.start(a_run(2, rehearsed=False))
    runs.start(a_run(3, charged=False))
    heads = runs.list_runs("acme", RunFilter(), limit=10).runs
    assert [(head.rehearsed, head.charged) for head in heads] == [(True, False), (False, True), (True, True)]
