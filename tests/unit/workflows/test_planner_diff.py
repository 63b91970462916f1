"""Two versions differ in their graph, in what runs take, and in what they may reach; nothing of that is overlooked."""

from __future__ import annotations

from stepward.tasks.human import ANYBODY
from stepward.workflows.planner.diff import (
    Edge,
    Permissions,
    Version,
    WorkflowDiff,
    diff,
    permissions,
)
from tests.support.workflow_plans import Priced, compiled, document


def compared(before: str, after: str) -> WorkflowDiff:
    return diff(Version(*compiled(before)), Version(*compiled(after)), Priced(1, 2, 3))


def test_a_version_is_the_same_as_itself() -> None:
    text = "tasks:\n- {id: a, agent: writer}\n"
    found = compared(text, text)
    assert found.same
    assert (found.plan, found.permissions.added, found.permissions.removed) == (
        (),
        Permissions(),
        Permissions(),
    )


def test_tasks_fields_and_edges() -> None:
    found = compared(
        "tasks:\n- {id: a, output: 1}\n- {id: b, output: 1, needs: a}\n- {id: x, output: 1}\n",
        "on_error: continue\ntasks:\n- {id: a, output: 2}\n- {id: b, output: 1}\n- {id: y, output: 1, needs: [a, b]}\n",
    )
    assert not found.same
    assert (found.tasks_added, found.tasks_removed) == (("y",), ("x",))
    assert {(one.task, field.field) for one in found.tasks_changed for field in one.fields} == {
        ("a", "output"),
        ("b", "needs"),
    }
    assert [(one.field, one.before, one.after) for one in found.fields] == [("on_error", "fail", "continue")]
    assert found.edges_added == (Edge(before="a", after="y"), Edge(before="b", after="y"))
    assert found.edges_removed == (Edge(before="a", after="b"),)


def test_branches_and_transitions_are_edges_too() -> None:
    found = compared(
        "tasks:\n- {id: c, test: '{% $input.go %}', then: a}\n- {id: a, output: 1}\n",
        "tasks:\n- {id: c, test: '{% $input.go %}', else: a}\n- {id: a, output: 1}\n",
    )
    assert found.edges_removed == (Edge(before="c", after="a", why="then"),)
    assert found.edges_added == (Edge(before="c", after="a", why="otherwise"),)


def test_what_is_within_bodies_is_compared_by_its_path() -> None:
    body = "tasks:\n- id: each\n  items: [1]\n  tasks: [{id: a, output: %s}]\n"
    found = compared(body % 1, body % 2)
    assert [one.task for one in found.tasks_changed] == ["each.a"]


def test_plans_differ_in_states_money_and_time() -> None:
    found = compared(
        "tasks:\n- {id: a, output: 1}\n", "tasks:\n- {id: a, output: 1}\n- {id: b, agent: w9, needs: a}\n"
    )
    changed = {one.field for one in found.plan}
    assert {"states", "critical_path", "makespan_ms", "child_runs", "cost"} <= changed


def test_permissions_are_all_that_a_version_may_reach() -> None:
    found = permissions(
        document("""
        tasks:
        - {id: a, agent: writer, version: 1.2.0, compensate: {id: u, type: webhook, url: "https://undo.example.com/x"}}
        - {id: t, tool: http_get, config: {allow: ["https://a.example.com"]}, with: {url: "https://a.example.com/1"}}
        - {id: w, url: "https://b.example.com:8443/in", timeout_s: 60}
        - {id: s, workflow: nightly}
        - {id: e, event: done}
        - {id: h, question: Well?, timeout_s: 120, approvers: [ann], escalate_after_s: 60, escalate_to: [bob]}
        - id: each
          items: [1]
          tasks: [{id: i, question: Well?, timeout_s: 60}]
        """)
    )
    assert found == Permissions(
        agents=("writer@1.2.0",),
        tools=("http_get",),
        hosts=("a.example.com", "b.example.com:8443", "undo.example.com"),
        workflows=("nightly",),
        events=("done",),
        people=("ann", ANYBODY, "bob"),
    )


def test_what_may_be_reached_anew_is_named() -> None:
    found = compared(
        "tasks:\n- {id: a, agent: writer}\n", "tasks:\n- {id: a, agent: judge}\n- {id: e, event: done}\n"
    )
    assert found.permissions.added == Permissions(agents=("judge",), events=("done",))
    assert found.permissions.removed == Permissions(agents=("writer",))
