"""A plan says what a run will enter, take and cost before there is one, and lies neither up nor down."""

from __future__ import annotations

import pytest

from stepward.domain.bounds import Bound, exactly
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.planner.costs import Money, dollars
from stepward.workflows.planner.plan import plan
from stepward.workflows.planner.plan_text import duration, summary_rows, task_rows
from tests.support.task_graphs import kept
from tests.support.workflow_plans import Priced, compiled, graph, planned


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("chain_10", 11),
        ("fan_20", 24),
        ("diamond", 6),
        ("seed_004", 7),
        ("crossing_4", 7),
        ("montage_25", 36),
    ],
)
def test_a_graph_without_bodies_has_one_number_of_states(name: str, most: int) -> None:
    definition = graph(kept(name))
    made = plan(definition, compile_workflow(definition))
    assert made.states.is_certain
    assert made.states.most == made.tasks + 1 + made.parallels + made.awaits <= most


def test_levels_critical_path_and_barriers() -> None:
    made = planned("""
        tasks:
        - {id: a, seconds: 10}
        - {id: b, seconds: 1}
        - {id: c, seconds: 1, needs: a}
        - {id: d, seconds: 20, needs: b}
        - {id: e, output: 1, needs: [c, d]}
    """)
    assert made.levels == (("a", "b"), ("c", "d"), ("e",))
    assert made.critical_path == ("b", "d", "e")
    assert (made.makespan_ms, made.barrier_makespan_ms) == (21_100, 30_100)
    assert (made.width, made.parallelism) == (2, (2, 2, 1))
    assert [one.task for one in made.rows if one.is_critical] == ["b", "d", "e"]


def test_lanes_make_a_run_as_long_as_they_are() -> None:
    tasks = "".join(f"- {{id: t{index}, seconds: 10}}\n" for index in range(6))
    made = planned(f"max_parallel: 2\ntasks:\n{tasks}")
    assert (made.width, made.makespan_ms, len(made.critical_path)) == (2, 30_000, 3)


def test_a_foreach_may_have_no_items_and_as_many_as_it_says() -> None:
    made = planned("""
        tasks:
        - id: each
          items: "{% $input.names %}"
          max_items: 7
          tasks: [{id: a, output: 1}, {id: b, output: 2, needs: a}]
    """)
    assert made.states == Bound(least=4, expected=4 + 7 * 2, most=4 + 7 * 2)
    assert [one.runs.most for one in made.rows] == [1, 7, 7]


def test_a_list_in_the_document_is_certain() -> None:
    made = planned("tasks:\n- {id: each, items: [1, 2, 3], tasks: [{id: a, output: 1}]}\n")
    assert made.states == exactly(3 + 3 + 1)


def test_a_loop_runs_once_at_least_and_asks_once_more_than_it_runs() -> None:
    made = planned("""
        tasks:
        - id: again
          until: "{% $iteration > 1 %}"
          max_iterations: 5
          tasks: [{id: a, output: 1}]
    """)
    # Two states of the question a round and once more, one of the body, one that ends the branch, and the last.
    assert (made.states.least, made.states.most) == (2 * 2 + 1 + 1, 6 * 2 + 5 + 1)


def test_bodies_multiply() -> None:
    made = planned("""
        tasks:
        - id: each
          items: "{% $input %}"
          max_items: 4
          tasks:
          - id: again
            until: "{% true %}"
            max_iterations: 3
            tasks: [{id: a, agent: writer}]
    """)
    assert next(one.runs for one in made.rows if one.task == "each.again.a") == Bound(
        least=0, expected=4 * 2, most=12
    )
    assert made.child_runs.most == 12


def test_what_may_be_skipped_enters_its_state_and_starts_no_run() -> None:
    made = planned(
        'tasks:\n- {id: a, agent: writer, when: "{% $input.go %}"}\n- {id: b, agent: writer, needs: a}\n',
        Priced(10, 20, 30),
    )
    assert made.states == exactly(3)
    assert made.child_runs == Bound(least=0, expected=2, most=2)
    assert made.children == Money(least_usd_micros=0, expected_usd_micros=40, most_usd_micros=60)


def test_retries_are_in_the_most() -> None:
    text = "tasks:\n- {id: a, agent: writer, retry: {strategy: constant, base_s: 10, max_attempts: 4}}\n"
    made = planned(text, Priced(10, 20, 30))
    assert made.states == exactly(2)
    assert made.transitions.least == 2 < made.transitions.most
    assert made.children == Money(least_usd_micros=10, expected_usd_micros=20, most_usd_micros=120)


def test_an_await_that_is_renewed_is_in_the_most() -> None:
    definition = graph(kept("crossing_4"), timeout_s=86_400)
    made = plan(definition, compile_workflow(definition))
    assert made.awaits == 1
    assert made.transitions.least == 7
    assert made.transitions.most >= 7 + 86_400 // 900


def test_limits_bound_an_agent_whose_cost_nobody_knows() -> None:
    made = planned(
        "cost_limit_usd: 2\ntasks:\n- {id: a, agent: writer}\n- {id: b, agent: x9, cost_limit_usd: 1}\n"
    )
    assert made.children == Money(least_usd_micros=0, expected_usd_micros=None, most_usd_micros=3_000_000)


def test_what_nobody_knows_is_said() -> None:
    made = planned("tasks:\n- {id: a, agent: writer}\n")
    assert made.cost.most_usd_micros is None
    assert any("is not known yet" in note for note in made.notes)


def test_what_follows_a_task_that_may_fail_may_be_skipped() -> None:
    made = planned(
        "on_error: continue\ntasks:\n- {id: a, agent: x9}\n- {id: b, agent: x9, needs: a}\n- {id: c, agent: x9, needs: b,"
        " run_when: always}\n",
        Priced(1, 1, 1),
    )
    assert [one.runs.least for one in made.rows] == [1, 0, 1]


def test_money_grows_from_least_to_most() -> None:
    made = planned(
        "tasks:\n- {id: a, output: 1}\n- {id: ask, question: Well?, timeout_s: 60, needs: a}\n",
        Priced(0, 0, 0),
    )
    aws = made.aws
    assert aws.expected_usd_micros is not None
    assert aws.most_usd_micros is not None
    assert 0 < aws.least_usd_micros < aws.expected_usd_micros < aws.most_usd_micros
    assert made.lambda_calls.least == 3


def test_a_state_machine_is_bounded_by_its_visits() -> None:
    made = plan(
        *compiled("""
        start: draft
        tasks:
        - {id: draft, agent: writer, max_visits: 3, next: [{to: review}]}
        - {id: review, agent: judge, next: [{to: done, when: "{% $tasks.review.ok %}"}, {to: draft}]}
        - {id: done, output: 1}
        """)
    )
    runs = {one.task: (one.runs.least, one.runs.most) for one in made.rows}
    assert runs == {"draft": (1, 3), "review": (1, 3), "done": (1, 3)}
    assert made.critical_path == ("draft", "review", "done")


def test_a_bound_of_a_task_that_lies_on_no_circle_adds_no_visits() -> None:
    made = planned("""
        start: a
        tasks:
        - {id: a, output: 1, max_visits: 5, next: [{to: b, when: "{% $input.go %}"}, {to: c}]}
        - {id: b, output: 1, next: [{to: c}]}
        - {id: c, output: 1}
    """)
    assert [one.runs for one in made.rows] == [
        exactly(1),
        Bound(least=0, expected=1, most=1),
        Bound(least=1, expected=1, most=2),
    ]


def test_the_table_says_what_the_plan_does() -> None:
    made = planned("tasks:\n- {id: a, output: 1}\n- {id: b, output: 1, needs: a}\n")
    assert [row[0] for row in task_rows(made)] == ["task", "a *", "b *"]
    said = dict(row for row in summary_rows(made) if row[0] != "note")
    assert said["states"] == "3, of them 0 parallels and 0 awaits"
    assert said["critical path"] == "a → b"
    assert all(len(row) == len(task_rows(made)[0]) for row in task_rows(made))


@pytest.mark.parametrize(
    ("took_ms", "said"),
    [(100, "0.1 s"), (59_900, "59.9 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h"), (90_000_000, "1 d 1 h")],
)
def test_times_read_well(took_ms: int, said: str) -> None:
    assert duration(took_ms) == said


def test_small_money_keeps_its_digits() -> None:
    assert (dollars(0), dollars(25), dollars(1_500_000)) == ("$0", "$0.000025", "$1.50")


def test_a_plan_is_json() -> None:
    made = planned("tasks:\n- {id: a, output: 1}\n")
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_the_most_is_as_much_as_the_document_lets_pass_and_no_more() -> None:
    small = planned("tasks: [{id: a, output: 1}]").aws.most_usd_micros
    large = planned("tasks: [{id: a, output: '{% $input.text %}'}]").aws.most_usd_micros
    assert small is not None
    assert large is not None
    # An output that nobody knows may have 100 KB, which is written once or twice, and read at the end.
    assert 100 < large - small < 250
    waits = planned("tasks: [{id: a, type: webhook, wait_for_call: true, timeout_s: 60}]").aws
    calls = planned("tasks: [{id: a, type: webhook, url: 'https://a.example', timeout_s: 60}]").aws
    assert waits.most_usd_micros is not None
    assert calls.most_usd_micros is not None
    assert waits.most_usd_micros < calls.most_usd_micros < 1_500


def test_what_undoes_a_run_is_in_its_most() -> None:
    text = "tasks:\n- {id: a, output: 1%s}\n- {id: b, output: 1}\n- {id: c, output: 1, needs: [a, b]}\n"
    plain, undone = planned(text % ""), planned(text % ", compensate: {output: 2}")
    assert (undone.states.least, undone.states.expected) == (plain.states.least, plain.states.expected)
    # The first three are a, b and what holds them; then the run is settled.
    assert undone.states.most == plain.states.most + 4
    assert undone.dynamodb_writes == plain.dynamodb_writes + Bound(least=1, expected=1, most=1 + 3)


def test_the_plan_says_whose_pauses_chance_may_take_away_wholly() -> None:
    call = "tool: calculate, with: {expression: '1'}, retry: {strategy: exponential, jitter: true, base_s: "
    made = planned(f"tasks:\n- {{id: long, {call}5}}}}\n- {{id: short, {call}1}}}}\n")
    assert [note for note in made.notes if "jitter" in note] == [
        "Step Functions makes the pauses of long: jitter takes away up to the whole (FULL)"
    ]
