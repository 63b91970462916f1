"""Needs, rings, branches and ways: what could not run as it is drawn is told before it is kept."""

from __future__ import annotations

import pytest

from stepward.workflows.checks import examine
from tests.support.workflow_texts import found, only, told


def test_a_sound_graph_has_no_problems() -> None:
    assert (
        told("""
        tasks:
        - {id: a, agent: xx}
        - {id: b, agent: xx, needs: a}
        - {id: c, agent: xx, needs: [a, b]}
        - id: group
          needs: c
          tasks:
          - {id: d, agent: xx}
          - {id: e, agent: xx, needs: d}
        - {id: f, agent: xx, needs: [group]}
        - {id: g, agent: xx, needs: [group.d]}
    """)
        == []
    )


def test_a_ring_is_named_in_its_order() -> None:
    problem = only(
        "tasks:\n- {id: a, agent: xx, needs: c}\n- {id: b, agent: xx, needs: a}\n- {id: c, agent: xx, needs: b}\n"
    )
    assert (problem.code, problem.task, problem.field, problem.line) == ("cycle", "a", "needs.0", 5)
    assert problem.detail.startswith("a → b → c → a: ")
    assert "'c' from those of 'a'" in problem.fix


def test_every_ring_is_told_once() -> None:
    text = "tasks:\n" + "".join(
        f"- {{id: {a}{n}, agent: xx, needs: {b}{n}}}\n" for n in range(3) for a, b in (("a", "b"), ("b", "a"))
    )
    assert [one.detail.partition(":")[0] for one in found(text)] == [f"a{n} → b{n} → a{n}" for n in range(3)]


def test_a_long_ring_is_shortened_in_the_telling() -> None:
    text = "tasks:\n" + "".join(f"- {{id: t{n}, agent: xx, needs: t{(n - 1) % 3000}}}\n" for n in range(3000))
    assert len(only(text).detail) < 300


def test_a_ring_through_a_group_names_the_group_once() -> None:
    problem = only(
        "tasks:\n- {id: a, agent: xx, needs: g}\n- {id: g, needs: a, tasks: [{id: b, agent: xx}]}\n"
    )
    assert problem.code == "cycle"
    assert problem.detail.startswith("a → g → a") or problem.detail.startswith("a → g.b → g → a")


def test_a_branch_of_its_own_cause_is_a_ring() -> None:
    problem = only("tasks:\n- {id: a, agent: xx}\n- {id: c, test: $tasks.a.ok, then: a, needs: a}\n")
    assert problem.code == "cycle"


@pytest.mark.parametrize(
    ("needs", "code", "fix"),
    [
        ("drafd", "missing-task", "did you mean 'draft'?"),
        ("nothing_like_it", "missing-task", "the tasks beside it are draft, each, group"),
        ("last", "self-dependency", "take it out of its own needs"),
        ("inner", "need-into-body", "need 'each', which ends after all that is in it"),
        ("each.inner", "need-into-body", "need 'each', which ends after all that is in it"),
        ("member", "need-into-body", "need 'group', which ends after all that is in it"),
    ],
)
def test_a_need_names_a_task_beside(needs: str, code: str, fix: str) -> None:
    problem = only(f"""
        tasks:
        - {{id: draft, agent: xx}}
        - {{id: each, foreach: [1], do: [{{id: inner, agent: xx}}]}}
        - {{id: group, tasks: [{{id: member, agent: xx}}]}}
        - {{id: last, agent: xx, needs: {needs}}}
    """)
    assert (problem.code, problem.task, problem.field, problem.fix) == (code, "last", "needs.0", fix)
    assert (problem.line, problem.column) == (9, 25)


def test_what_is_within_waits_with_what_it_is_in() -> None:
    problem = only(
        "tasks:\n- {id: a, agent: xx}\n- {id: e, foreach: [1], do: [{id: b, agent: xx, needs: a}]}\n"
    )
    assert (problem.code, problem.task) == ("need-out-of-body", "e.b")
    assert problem.fix == "let 'e' need it: what is within waits with it"


def test_ids_are_told_apart_within_a_body_only() -> None:
    assert told("tasks:\n- {id: a, agent: xx}\n- {id: a, agent: xx}\n- {id: a, agent: xx}\n") == [
        ("duplicate-id", "a", "id"),
        ("duplicate-id", "a", "id"),
    ]
    assert "in line 5" in found("tasks:\n- {id: a, agent: xx}\n- {id: a, agent: xx}\n")[0].detail
    assert told("tasks:\n- {id: a, foreach: [1], do: [{id: a, agent: xx}]}\n") == []


@pytest.mark.parametrize("look_alike", ["dr\u0430ft", "dra\u200bft", "\uff44raft", "draft\u0301"])
def test_ids_that_look_alike_are_named_by_their_characters(look_alike: str) -> None:
    problem = only(
        f"tasks:\n- {{id: draft, agent: xx}}\n- {{id: {look_alike}, agent: xx}}\n- {{id: b, agent: xx, needs: {look_alike}}}\n"
    )
    assert (problem.code, problem.field) == ("malformed", "id")
    assert "(U+" in problem.detail


def test_a_need_of_a_look_alike_is_missing() -> None:
    problem = only("tasks:\n- {id: draft, agent: xx}\n- {id: b, agent: xx, needs: dr\u0430ft}\n")
    assert problem.code == "missing-task"


class TestBranches:
    def test_a_branch_names_a_task_beside(self) -> None:
        assert told("tasks:\n- {id: c, test: $input.ok, then: [nope], otherwise: [c]}\n") == [
            ("missing-task", "c", "then.0"),
            ("self-dependency", "c", "otherwise.0"),
        ]

    def test_a_task_hangs_on_one_answer(self) -> None:
        assert (
            told("tasks:\n- {id: c, test: $input.ok, then: [a], otherwise: [a]}\n- {id: a, agent: xx}\n")[0][
                0
            ]
            == "wrong-setting"
        )

    @pytest.mark.parametrize(
        ("join", "is_dead"),
        [
            ("needs: [yes_path, no_path]", True),
            ("needs: [yes_path, no_path], run_when: any_done", False),
            ("needs: [yes_path, no_path], run_when: always", False),
            ("needs: [after_yes, no_path]", True),
            ("needs: [after_yes, yes_path]", False),
            ("needs: [c]", False),
            ("needs: [both]", True),
        ],
    )
    def test_a_join_behind_both_branches_never_runs(self, join: str, is_dead: bool) -> None:
        problems = told(
            f"""
            tasks:
            - {{id: c, test: $input.ok, then: yes_path, otherwise: [no_path]}}
            - {{id: yes_path, agent: xx, needs: c}}
            - {{id: after_yes, agent: xx, needs: yes_path}}
            - {{id: no_path, agent: xx}}
            - id: both
              run_when: always
              tasks: [{{id: m, agent: xx, needs: []}}]
            - {{id: d, test: $input.x, then: [grouped], otherwise: []}}
            - {{id: grouped, tasks: [{{id: n, agent: xx}}]}}
            - {{id: join, agent: xx, {join}}}
        """.replace("needs: [both]", "needs: [yes_path, after_no]").replace(
                "- {id: d, test",
                "- {id: after_no, needs: no_path, tasks: [{id: o, agent: xx}]}\n            - {id: d, test",
            )
        )
        assert problems == ([("unreachable", "join", "needs")] if is_dead else [])

    @pytest.mark.parametrize(
        ("text", "dead"),
        [
            ("{id: c, test: false, then: a}", "a"),
            ("{id: c, test: true, otherwise: a}", "a"),
            ('{id: c, test: "{% false %}", then: a}', "a"),
            ("{id: c, test: true, then: a}", None),
        ],
    )
    def test_a_branch_that_is_never_taken_is_told_once(self, text: str, dead: str | None) -> None:
        problems = told(f"tasks:\n- {text}\n- {{id: a, agent: xx}}\n- {{id: b, agent: xx, needs: a}}\n")
        assert [task for _, task, _ in problems] == ([dead] if dead else [])

    def test_a_condition_that_is_always_false_is_told(self) -> None:
        assert told('tasks:\n- {id: a, agent: xx, when: "{% false %}"}\n') == [("unreachable", "a", "when")]


class TestStateMachines:
    def test_a_machine_with_bounds_is_sound(self) -> None:
        assert (
            told("""
            start: work
            tasks:
            - {id: work, agent: xx, max_visits: 3, next: review}
            - {id: review, agent: xx, next: [{to: work, when: "$tasks.review.again"}, done]}
            - {id: done, output: "{% $tasks.review %}"}
        """)
            == []
        )

    def test_a_circle_needs_a_bound(self) -> None:
        problem = only("start: a\ntasks:\n- {id: a, agent: xx, next: b}\n- {id: b, agent: xx, next: a}\n")
        assert (problem.code, problem.task) == ("no-bound", "a")
        assert "`max_visits`" in problem.fix
        assert only("start: a\ntasks:\n- {id: a, agent: xx, next: a}\n").code == "no-bound"

    def test_one_bound_does_not_bound_another_circle(self) -> None:
        text = "start: a\ntasks:\n- {id: a, agent: xx, max_visits: 2, next: [b]}\n- {id: b, agent: xx, next: [{to: a, when: $input.x}, c]}\n- {id: c, agent: xx, next: [b]}\n"
        assert told(text) == [("no-bound", "b", "next")]

    def test_ways_lead_somewhere_and_everywhere(self) -> None:
        assert told(
            "start: a\ntasks:\n- {id: a, agent: xx, next: [b, c]}\n- {id: b, agent: xx, next: nope}\n- {id: c, agent: xx}\n- {id: d, agent: xx}\n"
        ) == [
            ("unreachable", "a", "next.1"),
            ("missing-task", "b", "next.0.to"),
            ("unreachable", "d", None),
        ]

    def test_the_start_exists(self) -> None:
        assert only("start: aa\ntasks:\n- {id: a, agent: xx}\n").fix == "did you mean 'a'?"

    def test_the_two_shapes_do_not_mix(self) -> None:
        assert told("tasks:\n- {id: a, agent: xx, next: b}\n- {id: b, agent: xx}\n") == [
            ("wrong-shape", "a", "next")
        ]
        machine = "start: a\ntasks:\n- {id: a, agent: xx, next: b}\n- {id: b, agent: xx, needs: a}\n"
        assert told(machine) == [("wrong-shape", "b", "needs")]
        inner = "tasks:\n- {id: e, foreach: [1], do: [{id: a, agent: xx, next: b}, {id: b, agent: xx}]}\n"
        assert told(inner) == [("wrong-shape", "e.a", "next")]


def test_ten_thousand_tasks_and_fifty_thousand_needs_are_walked_without_recursion() -> None:
    needs = {n: [n - back for back in (1, 2, 3, 5, 8) if n >= back] for n in range(10_000)}
    tasks = [{"id": f"t{n}", "output": n, "needs": [f"t{one}" for one in needs[n]]} for n in needs]
    values = {"id": "large", "name": "Large", "version": "1.0.0", "tasks": tasks}
    assert examine(values)[1] == []
    tasks[0]["needs"] = ["t9999"]
    [problem] = examine(values)[1]
    assert problem.code == "cycle"
    assert problem.detail.startswith("t0 → ")
