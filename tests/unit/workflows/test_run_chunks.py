"""A foreach that one history would not hold: in chunks it means the same, and none of them is left to itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.domain.chunks import ranges
from stepward.domain.execution_events import ExecutionEnd
from stepward.domain.runs import RunKey
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.plan import plan
from stepward.workflows.program.limits import SLICE_ITEMS
from stepward.workflows.program.names import SETTLE, WHICH
from stepward.workflows.proofs.catalog import prove
from stepward.workflows.runs.chunks import MOST_EXECUTIONS, RunChunk
from tests.support.workflow_doubles import nobody, well
from tests.support.workflow_world import Ran, WorkflowWorld

BAD = "{% $item = 7 ? $error('no') : $item * 2 %}"


def foreach(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    own = {"max_items": 1_000, "chunk_size": 4, "max_parallel": 6, **more}
    return {"id": "each", "type": "foreach", "items": "{% $input %}", "tasks": tasks, **own}


def twice(output: str = "{% $item * 2 %}", **more: Any) -> dict[str, Any]:
    return {"id": "x", "type": "transform", "output": output, **more}


def timed() -> WorkflowWorld:
    return WorkflowWorld(duration_s=lambda path, at: 1.0)


def begun(
    world: WorkflowWorld, *tasks: dict[str, Any], items: int = 12, until_s: float, **said: Any
) -> RunKey:
    world.register(list(tasks), **said)
    key = world.start(list(range(items)))
    world.loop.run(until=lambda: world.loop.now_s > until_s)
    return key


def statuses(world: WorkflowWorld, key: RunKey) -> list[str]:
    """How the chunks' executions ended, once all that still goes on has come to its own."""
    world.loop.run()
    return [one.status for one in world.chunks(key)]


def with_small(world: WorkflowWorld, *tasks: dict[str, Any], given: Any, **said: Any) -> tuple[Ran, Ran]:
    """Run the same with chunks and without."""
    large = world.run(list(tasks), given, **said)
    own = [{name: value for name, value in task.items() if name != "chunk_size"} for task in tasks]
    return large, timed().run(own, given, **said)


class TestMeaning:
    def test_results_come_in_the_order_of_the_items(self) -> None:
        world = timed()
        ran = world.run([foreach(twice())], list(range(60)))
        assert (ran.status, ran.output) == ("COMPLETED", [2 * number for number in range(60)])
        assert ran.head.totals.tasks == 61, "a chunk is no task"
        assert statuses(world, ran.key) == ["SUCCEEDED"] * 15

    def test_each_chunk_is_an_execution_of_the_same_machine(self) -> None:
        world = timed()
        ran = world.run([foreach(twice(), chunk_size=20)], list(range(60)))
        assert ran.entered == [WHICH, "each", "each chunks", *["each chunk"] * 3, "each done", SETTLE]
        for chunk in world.chunks(ran.key):
            assert [one.state for one in chunk.entered] == [WHICH, "each items", *["each.x"] * 20, SETTLE]

    def test_no_more_items_run_at_once_than_are_allowed(self) -> None:
        world, most, running = WorkflowWorld(), [0], [0]
        room = world.room

        def counted(request: Any) -> dict[str, Any]:
            running[0] -= request.task == "each.x"
            return room(request)

        def takes(path: str, at: str) -> float:
            running[0] += path == "each.x"
            most[0] = max(most[0], running[0])
            return 1.0

        world.duration_s, world.room = takes, counted  # type: ignore[method-assign]
        ran = world.run([foreach(twice())], list(range(60)))
        assert (ran.status, most[0]) == ("COMPLETED", 6)

    @pytest.mark.parametrize("said", [{}, {"on_error": "continue"}, {"allow_partial": True}])
    @pytest.mark.parametrize(
        "own", [{}, {"on_error": "continue"}, {"fallback": {"output": "spare"}}, {"priority": 9}]
    )
    def test_failures_mean_the_same(self, said: dict[str, Any], own: dict[str, Any]) -> None:
        end = {"id": "end", "type": "transform", "needs": ["each"], "output": "{% $tasks.each %}"}
        large, small = with_small(timed(), foreach(twice(BAD, **own)), end, given=list(range(12)), **said)
        assert (large.status, large.output) == (small.status, small.output)
        assert large.head.error == small.head.error
        if large.status != "FAILED":
            assert large.statuses == small.statuses

    @pytest.mark.parametrize("items", [[], [5]])
    def test_few_items_are_few_chunks(self, items: list[int]) -> None:
        world = timed()
        ran = world.run([foreach(twice())], items)
        assert (ran.output, len(world.chunks(ran.key))) == ([2 * item for item in items], len(items))

    @pytest.mark.parametrize("when", ["{% false %}", "{% true %}"])
    def test_one_that_is_skipped_has_no_chunks(self, when: str) -> None:
        world = timed()
        ran = world.run([foreach(twice(), when=when)], [1, 2])
        assert (ran.statuses["each"], bool(world.chunks(ran.key))) == (
            ("COMPLETED", True) if "true" in when else ("SKIPPED", False)
        )

    def test_chunks_within_chunks_and_within_loops(self) -> None:
        inner = foreach(twice("{% $item * 10 %}"), chunk_size=2) | {"id": "inner", "items": "{% [1..5] %}"}
        again = {
            "id": "again",
            "type": "loop",
            "until": "{% $iteration = 1 %}",
            "max_iterations": 3,
            "tasks": [inner],
        }
        ran = timed().run([foreach(again, chunk_size=1)], [0, 0])
        assert (ran.status, ran.output) == ("COMPLETED", [{"inner": [10, 20, 30, 40, 50]}] * 2)

    def test_a_workflow_that_goes_from_task_to_task(self) -> None:
        end = {"id": "end", "type": "transform", "output": "{% $sum($tasks.each) %}"}
        world = timed()
        ran = world.run([{**foreach(twice()), "next": [{"to": "end"}]}, end], list(range(12)), start="each")
        assert (ran.status, ran.output, len(world.chunks(ran.key))) == ("COMPLETED", 132, 3)

    def test_items_are_kept_in_slices(self) -> None:
        world = WorkflowWorld()
        ran = world.run([foreach(twice(), chunk_size=100)], list(range(2 * SLICE_ITEMS + 1)))
        assert ran.output == [2 * number for number in range(2 * SLICE_ITEMS + 1)]
        assert world.store.value(ran.key, "each~items~2") == [2 * SLICE_ITEMS]


class TestEnds:
    def test_a_failure_stops_the_other_chunks(self) -> None:
        world = timed()
        slow = {"id": "x", "type": "agent", "agent": "slow", "with": {"input": "{% $item %}"}}
        world.reach.answers["each.x"] = lambda place, given: well(1) if given != 0 else None
        world.reach.delay_s = lambda place: 500.0
        failing = twice("{% $item = 11 ? $error('no') : 1 %}", id="y")
        ran = world.run([foreach(slow, failing)], list(range(12)))
        assert ran.status == "FAILED"
        assert ran.head.error is not None
        assert ran.head.error.detail.startswith("each.y@each[11]: ")
        assert sorted(statuses(world, ran.key)) == ["ABORTED", "ABORTED", "SUCCEEDED"]

    def test_a_cancel_stops_all_chunks(self) -> None:
        world = timed()
        key = begun(world, foreach(twice(), chunk_size=20), items=60, until_s=4)
        world.cancel(key)
        assert set(statuses(world, key)) == {"ABORTED"}
        requests = len(world.requests)
        world.loop.run()
        assert len(world.requests) == requests
        assert world.runs.head(key).status.value == "CANCELLED"  # type: ignore[union-attr]

    def test_a_chunk_whose_run_is_out_of_time_is_stopped(self) -> None:
        world = timed()
        world.reach.answers["each.x"] = nobody
        key = begun(world, foreach({"id": "x", "type": "agent", "agent": "none"}), until_s=50, timeout_s=40)
        assert world.execution(key).status == "TIMED_OUT"
        world.close(key)
        assert "RUNNING" not in statuses(world, key)

    def test_what_failed_runs_again_and_nothing_else(self) -> None:
        world = timed()
        before = world.run([foreach(twice(BAD))], list(range(12)))
        assert before.status == "FAILED"
        done = [name for name, record in before.records.items() if record.is_well and "@" in name]
        key = world.rerun(before.key)
        again = world.finish(key)
        assert again.status == "FAILED"
        assert set(done) <= {name for name, record in again.records.items() if record.is_well}
        assert not any("chunk" in name for name in again.records)


class TestDeaths:
    @pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT"])
    def test_a_chunk_that_is_killed_begins_anew_and_does_the_rest(self, status: str) -> None:
        world = timed()
        key = begun(world, foreach(twice(), max_parallel=1), until_s=4)
        world.kill(world.chunks(key)[0], status)
        ran = world.finish(key)
        assert (ran.status, ran.output) == ("COMPLETED", [2 * number for number in range(12)])
        assert statuses(world, key) == [status, *["SUCCEEDED"] * 3]
        attempts = [record.attempt for task, record in ran.looked.records.items() if task.is_chunk]
        assert sorted(attempts) == [1, 1, 2]

    def test_one_that_dies_every_time_fails_the_run(self) -> None:
        world = timed()
        key = begun(world, foreach(twice(), max_parallel=1), until_s=3)
        for _ in range(MOST_EXECUTIONS):
            world.kill(world.chunks(key)[-1])
            later = world.loop.now_s + 3
            world.loop.run(until=lambda later=later: world.loop.now_s > later)
        ran = world.finish(key)
        assert ran.status == "FAILED"
        assert ran.head.error is not None
        assert ran.head.error.code == "ChunkStopped"
        assert len(world.chunks(key)) == MOST_EXECUTIONS

    def test_a_death_that_nobody_told_of_is_found_by_time(self) -> None:
        world = timed()
        key = begun(world, foreach(twice()), until_s=1.5)
        world.chunks(key)[0].stop()
        ran = world.finish(key)
        assert (ran.status, ran.output) == ("COMPLETED", [2 * number for number in range(12)])
        assert world.loop.now_s > 900

    def test_an_event_of_a_chunk_whose_run_has_ended_changes_nothing(self) -> None:
        world = timed()
        ran = world.run([foreach(twice())], list(range(12)))
        one = world.chunks(ran.key)[0]
        event = {"detail": {"input": json.dumps(one.given), "status": "ABORTED", "name": "a chunk"}}
        ended = ExecutionEnd.of(event)
        assert ended.chunk is not None
        assert RunChunk(world.ports).died(ended.key, ended.chunk, ended.detail) == "the run has ended"
        assert len(world.chunks(ran.key)) == 3


def test_nobody_waits_for_what_does_not_come() -> None:
    needs = {"a": "", "b": "", "c": "a", "d": "ab", "e": "cd"}
    body = [{"id": name, "type": "transform", "output": 1, "needs": list(of)} for name, of in needs.items()]
    world = timed()
    definition = world.register(
        [foreach(*body), {"id": "end", "type": "transform", "output": 1, "needs": ["each"]}]
    )
    compiled = compile_workflow(definition)
    assert plan(definition, compiled).awaits == 1
    assert [proof.name for proof in prove(definition, compiled) if not proof.holds] == []
    assert world.finish(world.start([1, 2, 3])).status == "COMPLETED"


class TestSizes:
    @pytest.mark.parametrize(
        ("most", "tasks", "chunks"),
        [(2_800, 1, {}), (10_000, 1, {"each": 2_851}), (1_000, 3, {}), (1_000, 4, {"each": 907})],
    )
    def test_chunks_are_as_large_as_a_history_allows(
        self, most: int, tasks: int, chunks: dict[str, int]
    ) -> None:
        body = [twice(id=f"x{n}", needs=[f"x{n - 1}"] if n else []) for n in range(tasks)]
        assert sizes(foreach(*body, max_items=most, chunk_size=None)) == chunks

    def test_all_lists_of_one_history_count(self) -> None:
        each = foreach(twice(), max_items=2_000, chunk_size=None)
        assert sizes(each) == {}
        assert sizes(each, {**each, "id": "more"}) == {"each": 2_851}

    def test_rounds_within_rounds_are_divided_where_they_are_too_many(self) -> None:
        inner = {**foreach(twice(), max_items=5_000, chunk_size=None), "id": "inner"}
        assert sizes(foreach(inner, max_items=10, chunk_size=None)) == {"each.inner": 2_851}
        inner["max_items"] = 100
        assert sizes(foreach(inner, max_items=100, chunk_size=None)) == {"each": 27}

    def test_no_state_is_given_more_names_than_it_may_have(self) -> None:
        within = {"id": "x" * 40, "type": "transform", "output": 1}
        inner = {**foreach(within, max_items=2_800, chunk_size=None), "id": "y" * 20}
        outer = {**foreach(inner, max_items=2, chunk_size=None), "id": "z" * 48}
        assert sizes(outer) == {f"{'z' * 48}.{'y' * 20}": 1_980}

    def test_tries_that_authors_ask_for_count(self) -> None:
        retry = {"strategy": "constant", "max_attempts": 5, "base_s": 5}
        assert sizes(foreach(twice(retry=retry), max_items=2_000, chunk_size=None)) == {"each": 867}

    def test_a_small_one_has_the_machine_that_it_always_had(self) -> None:
        ran = timed().run([foreach(twice(), chunk_size=None)], [1])
        assert ran.entered == ["each", "each items", "each.x", "each done", SETTLE]

    @pytest.mark.parametrize(
        ("items", "most", "lanes"), [(0, 5, 2), (1, 5, 4), (10_000, 2_851, 4), (7, 1, 3), (61, 20, 1)]
    )
    def test_ranges_hold_every_item_once(self, items: int, most: int, lanes: int) -> None:
        found = ranges(items, most, lanes)
        assert [number for first, last in found for number in range(first, last + 1)] == list(range(items))
        assert all(0 < last - first + 1 <= most for first, last in found)


def sizes(*tasks: dict[str, Any]) -> dict[str, int]:
    world = WorkflowWorld()
    return compile_workflow(world.register(list(tasks))).program.chunks
