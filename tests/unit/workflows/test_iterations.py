"""Tasks that run others: once for each item, or until something holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.workflow_world import Died, Ran, WorkflowWorld


def transform(name: str, output: Any, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": output, "needs": needs, **more}


def foreach(name: str, items: Any, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "foreach", "items": items, "tasks": tasks, **more}


def loop(name: str, until: str, *tasks: dict[str, Any], most: int = 5, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "loop", "until": until, "max_iterations": most, "tasks": tasks, **more}


def run(*tasks: dict[str, Any], given: Any = None, **said: Any) -> Ran:
    return WorkflowWorld().run(list(tasks), given, **said)


def test_a_body_runs_for_each_item() -> None:
    each = foreach("each", "{% $input %}", transform("x", "{% $item & $index %}"))
    ran = run(each, transform("end", "{% $tasks.each %}", "each"), given=["a", "b", "c"])
    assert (ran.status, ran.output) == ("COMPLETED", ["a0", "b1", "c2"])
    assert ran.outputs["each.x@each[1]"] == "b1"
    assert [name for name in ran.entered if not name.startswith("each.")] == [
        "each", "each items", "each.x", "each.x", "each.x", "each done", "end", "settle run"
    ] or ran.entered.count("each.x") == 3  # fmt: skip


def test_collect_says_what_an_item_brings() -> None:
    body = [transform("x", "{% $item * 2 %}"), transform("y", "{% $tasks.x + 1 %}", "x")]
    each = foreach(
        "each", [1, 2], *body, collect={"item": "{% $item %}", "x": "{% $tasks.x %}", "y": "{% $tasks.y %}"}
    )
    assert run(each).output == [{"item": 1, "x": 2, "y": 3}, {"item": 2, "x": 4, "y": 5}]


def test_without_collect_an_item_brings_what_nobody_needs() -> None:
    body = [transform("x", "{% $item %}"), transform("y", "y", "x"), transform("z", "z", "x")]
    assert run(foreach("each", [1], *body)).output == [{"y": "y", "z": "z"}]


@pytest.mark.parametrize("items", [[], "{% [] %}"])
def test_no_items_are_no_rounds(items: Any) -> None:
    ran = run(
        foreach("each", items, transform("x", 1)), transform("end", "{% $count($tasks.each) %}", "each")
    )
    assert (ran.status, ran.outputs["each"], ran.output) == ("COMPLETED", [], 0)


def test_too_many_items_fail() -> None:
    each = foreach("each", "{% [1, 2, 3] %}", transform("x", 1), max_items=2)
    ran = run(each, transform("end", 1, "each"), on_error="continue")
    assert (ran.status, ran.error("each")) == ("FAILED", "OutputMalformed")
    assert ran.statuses == {"each": "FAILED", "end": "SKIPPED"}


@pytest.mark.parametrize("chunk_size", [None, 1])
@pytest.mark.parametrize(
    ("items", "brought"),
    [
        ("{% $input.rows[open] %}", ["a", "c"]),
        ("{% $input.rows[id = 'b'] %}", ["b"]),
        ("{% $input.rows[id = 'z'] %}", []),
        ("{% [$input.rows[id = 'b']] %}", ["b"]),
        ("{% null %}", []),
    ],
)
def test_one_match_is_a_list_of_one_and_no_match_a_list_of_none(
    items: str, brought: list[str], chunk_size: int | None
) -> None:
    rows = [{"id": "a", "open": True}, {"id": "b", "open": False}, {"id": "c", "open": True}]
    each = foreach("each", items, transform("x", "{% $item.id %}"), chunk_size=chunk_size)
    ran = run(each, given={"rows": rows})
    assert (ran.status, ran.output) == ("COMPLETED", brought)


def test_a_body_that_is_skipped_has_no_rounds() -> None:
    ran = run(
        foreach("each", [1], transform("x", 1), when="{% false %}"),
        loop("again", "{% true %}", transform("y", 1), when="{% false %}"),
    )
    assert (ran.status, ran.statuses) == ("COMPLETED", {"each": "SKIPPED", "again": "SKIPPED"})


def test_a_failed_item_ends_the_run_or_brings_nothing() -> None:
    bad = "{% $item = 2 ? $error('no') : $item %}"
    strict = run(foreach("each", [1, 2, 3], transform("x", bad)))
    assert strict.status == "FAILED"
    mild = run(foreach("each", [1, 2, 3], transform("x", bad, on_error="continue")), allow_partial=True)
    assert (mild.status, mild.output) == ("PARTIALLY_COMPLETED", [1, None, 3])


def test_bodies_within_bodies() -> None:
    inner = foreach("inner", "{% $item.of %}", transform("x", "{% $item * $tasks.factor %}"))
    outer = foreach(
        "outer", "{% $input %}", transform("factor", "{% $item.factor %}"), {**inner, "needs": ["factor"]}
    )
    ran = run(
        outer, given=[{"factor": 10, "of": [1, 2]}, {"factor": 100, "of": [3]}, {"factor": 1, "of": []}]
    )
    assert (ran.status, ran.output) == ("COMPLETED", [[10, 20], [300], []])
    assert ran.outputs["outer.inner.x@outer[0].inner[1]"] == 20


def test_a_body_sees_what_is_around_it() -> None:
    each = foreach("each", [1, 2], transform("x", "{% $tasks.before + $item + $input %}"), needs=["before"])
    assert run(transform("before", 10), each, given=100).output == [111, 112]


def test_joins_within_a_body_wait_for_their_own_round() -> None:
    body = [
        transform("a", "{% 'a' & $index %}"), transform("b", "{% 'b' & $index %}"), transform("c", "{% $tasks.a %}", "a"),
        transform("d", "{% $tasks.a & $tasks.b %}", "a", "b"), transform("e", "{% $tasks.c & $tasks.d %}", "c", "d"),
    ]  # fmt: skip
    for seed in range(10):
        world = WorkflowWorld(seed, lambda path, at: hash((path, at)) % 7)
        ran = world.run([foreach("each", [0, 1, 2], *body)])
        assert ran.output == [f"a{n}a{n}b{n}" for n in range(3)]


def test_no_more_items_than_said_run_at_once() -> None:
    world = WorkflowWorld(duration_s=lambda path, at: 10.0 if path == "each.x" else 0.0)
    ran = world.run([foreach("each", list(range(7)), transform("x", 1), max_parallel=3)])
    assert (ran.status, world.loop.now_s) == ("COMPLETED", 30)


def test_a_loop_ends_when_something_holds() -> None:
    again = loop("again", "{% $tasks.n >= 3 %}", transform("n", "{% $iteration + 1 %}"))
    ran = run(again, transform("end", "{% $tasks.again.n %}", "again"))
    assert (ran.status, ran.output) == ("COMPLETED", 3)
    assert ran.records["again"].attempt == 3
    assert "again.n@again[2]" in ran.statuses
    assert "again.n@again[3]" not in ran.statuses


def test_a_round_knows_the_one_before() -> None:
    again = loop(
        "again",
        "{% $iteration = 3 %}",
        transform("sum", "{% $exists($previous.sum) ? $previous.sum * 2 : 1 %}"),
    )
    assert run(again).output == {"sum": 8}


def test_collect_says_what_a_loop_brings() -> None:
    again = loop(
        "again", "{% $tasks.n = 1 %}", transform("n", "{% $iteration %}"), collect="{% 'n' & $tasks.n %}"
    )
    assert run(again).output == "n1"


@pytest.mark.parametrize(("on_error", "others"), [("fail", None), ("continue", "SKIPPED")])
def test_a_loop_that_does_not_end_fails(on_error: str, others: str | None) -> None:
    again = loop("again", "{% false %}", transform("n", 1), most=3, on_error=on_error)
    ran = run(again, transform("end", 1, "again"))
    assert (ran.status, ran.error("again"), ran.statuses.get("end")) == ("FAILED", "LoopNotEnded", others)
    assert ran.entered.count("again.n") == 3


def test_an_until_that_is_no_truth_value_fails_the_loop() -> None:
    ran = run(
        loop("again", "{% 3 %}", transform("n", 1)),
        transform("end", 1, "again", run_when="always"),
        on_error="continue",
    )
    assert (ran.error("again"), ran.statuses["end"]) == ("OutputMalformed", "COMPLETED")


def test_a_loop_goes_on_over_a_failed_round() -> None:
    body = transform("n", "{% $iteration < 2 ? $error('no') : 'well' %}", on_error="continue")
    ran = run(
        loop("again", "{% $status.n = 'COMPLETED' %}", body),
        allow_partial=True,
        output="{% $tasks.again.n %}",
    )
    assert ran.outputs["again"] == {"n": "well"}
    assert ran.statuses["again.n@again[0]"] == "FAILED"


def test_loops_and_items_within_each_other() -> None:
    inner = loop("inner", "{% $tasks.i = 1 %}", transform("i", "{% $iteration %}"))
    outer = loop("outer", "{% $iteration = 1 %}", transform("o", "{% $iteration %}"), inner)
    ran = run(outer, transform("end", "{% $tasks.outer %}", "outer"))
    assert ran.output == {"o": 1, "inner": {"i": 1}}
    each = foreach("each", [1, 2], {**inner, "until": "{% $tasks.i >= $item %}"})
    assert run(each).output == [{"i": 1}, {"i": 2}]
    round_ = foreach("each", "{% [1, $iteration] %}", transform("x", "{% $item + $iteration %}"))
    assert run(loop("outer", "{% $iteration = 1 %}", round_)).output == {"each": [2, 2]}


def test_loops_one_after_another_and_side_by_side() -> None:
    first = loop("first", "{% $iteration = 1 %}", transform("a", "{% $iteration %}"))
    second = loop(
        "second", "{% $iteration = 2 %}", transform("b", "{% $tasks.first.a + $iteration %}"), needs=["first"]
    )
    third = loop("third", "{% true %}", transform("c", "c"))
    ran = run(first, second, third, transform("end", "{% $tasks %}", "second", "third"))
    assert ran.output == {"first": {"a": 1}, "second": {"b": 3}, "third": {"c": "c"}}


def test_a_wait_and_an_answer_within_a_body() -> None:
    world = WorkflowWorld()
    body = [
        {"id": "rest", "type": "wait", "seconds": 10},
        {
            "id": "ask",
            "type": "agent",
            "agent": "helper",
            "needs": ["rest"],
            "with": {"input": "{% $item %}"},
        },
    ]
    ran = world.run([foreach("each", [1, 2], *body, collect="{% $tasks.ask.given %}")])
    assert (ran.status, ran.output, world.loop.now_s) == ("COMPLETED", [1, 2], 10)


@pytest.mark.parametrize("step", ["each", "each done", "again", "rest", "rest done"])
@pytest.mark.parametrize("before", [True, False])
def test_a_death_at_any_state_of_a_body_changes_nothing(step: str, before: bool) -> None:
    each = foreach("each", [1, 2], transform("x", "{% $item %}"))
    again = loop("again", "{% $iteration = 1 %}", transform("n", "{% $iteration %}"))
    rest = {"id": "rest", "type": "wait", "seconds": 10}
    world = WorkflowWorld()
    room, died = world.room, []

    def mortal(request: Any) -> Any:
        here = f"{request.task} {request.step}" if request.step else request.task
        if here == step and request.tries == 0:
            died.append(here)
            if not before:
                room(request)
            raise Died
        return room(request)

    world.room = mortal  # type: ignore[method-assign]
    ran = world.run([each, again, rest])
    assert died
    assert (ran.status, ran.output) == ("COMPLETED", {"each": [1, 2], "again": {"n": 1}, "rest": None})


def test_many_large_items_are_kept_beside() -> None:
    each = foreach("each", "{% $input %}", transform("x", "{% $item %}"))
    ran = run(each, given=["x" * 60_000] * 5)
    assert ran.output == ["x" * 60_000] * 5
    assert ran.records["each"].output is None


def test_a_group_within_a_body_is_an_object_of_its_outputs() -> None:
    group = {
        "id": "both",
        "type": "parallel",
        "tasks": [transform("l", "{% $iteration %}"), transform("r", "{% $previous.both.l %}")],
    }
    ran = run(loop("again", "{% $tasks.both.l = 2 %}", group))
    assert ran.output == {"both": {"l": 2, "r": 1}}
    others = [{"id": name, "type": "parallel", "tasks": [transform("x", name)]} for name in ("one", "two")]
    assert run(foreach("each", [1], *others)).output == [{"one": {"x": "one"}, "two": {"x": "two"}}]


def test_the_fallback_of_a_body_is_of_its_own_round() -> None:
    inner = loop("inner", "{% false %}", transform("n", 1), most=3, fallback={"output": "{% $iteration %}"})
    assert run(loop("outer", "{% $iteration = 1 %}", inner)).output == {"inner": 1}


def test_the_nearest_task_of_a_name_is_meant() -> None:
    each = foreach(
        "each",
        [1, 2],
        transform("a", "{% $item %}"),
        transform("b", "{% [$tasks.a, $tasks.c] %}", "a"),
        needs=["a", "c"],
    )
    assert run(transform("a", "outer"), transform("c", "c"), each).output == [[1, "c"], [2, "c"]]


def test_who_says_all_tasks_reads_those_that_have_ended_for_sure() -> None:
    for seed in range(20):
        world = WorkflowWorld(seed, lambda path, at, seed=seed: (len(path) * seed) % 3)
        tasks = [transform("a", 1), transform("beside", 2), transform("b", "{% $tasks %}", "a")]
        assert world.run(tasks).outputs["b"] == {"a": 1}
