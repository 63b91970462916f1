"""What is proved of a workflow holds for every run of it; what cannot be proved is shown by a way on which it does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.compiler import machine_size
from stepward.workflows.compiler.compile import Compiled, compile_workflow
from stepward.workflows.proofs.approvals import ONCE_APPROVED
from stepward.workflows.proofs.catalog import prove, refusals
from stepward.workflows.proofs.liveness import prove_no_deadlock, prove_termination
from stepward.workflows.proofs.proof import Proof, Subject
from stepward.workflows.proofs.redaction import PII_REDACTED
from tests.support.task_graphs import kept
from tests.support.workflow_plans import compiled, document, graph

SEND = "url: 'https://example.com/in', timeout_s: 60, effect: idempotent"
PAY = "url: 'https://example.com/pay', timeout_s: 60, effect: once"
ASK = "question: Well?, timeout_s: 60"


def proved(name: str, text: str) -> Proof:
    return next(one for one in prove(document(text)) if one.name == name)


def test_a_sound_workflow_is_proved_in_every_way() -> None:
    found = prove(document("tasks:\n- {id: a, agent: writer}\n- {id: b, output: 1, needs: a}\n"))
    assert [(one.name, one.holds) for one in found] == [
        ("bounded", True),
        ("no-deadlock", True),
        ("pii-redacted", True),
        ("once-approved", True),
    ]
    assert refusals(found) == []


def test_a_loop_without_a_number_of_rounds_is_shown() -> None:
    definition = WorkflowDefinition.model_validate(
        {
            "id": "loops",
            "name": "Loops",
            "version": "1.0.0",
            "tasks": [
                {"id": "g", "type": "parallel", "tasks": [{"id": "l", "type": "loop", "until": "{% true %}"}]}
            ],
        }
    )
    found = prove(definition)
    assert [(one.name, one.holds, one.counter_example) for one in found] == [("bounded", False, ("g.l",))]
    assert refusals(found)[0].task == "g.l"


def _machine(**visits: int) -> WorkflowDefinition:
    ways: dict[str, list[dict[str, Any]]] = {
        "a": [{"to": "b"}],
        "b": [{"to": "c", "when": "{% true %}"}, {"to": "a"}],
        "c": [],
    }
    tasks = [
        {"id": name, "type": "transform", "next": found}
        | ({"max_visits": visits[name]} if name in visits else {})
        for name, found in ways.items()
    ]
    return WorkflowDefinition.model_validate(
        {"id": "goes", "name": "Goes", "version": "1.0.0", "start": "a", "tasks": tasks}
    )


def test_a_circle_without_a_number_of_visits_is_shown_in_its_order() -> None:
    assert prove_termination(Subject(_machine())).counter_example in {("a", "b", "a"), ("b", "a", "b")}
    assert prove_termination(Subject(_machine(b=3))).holds


def test_the_bound_says_how_many_runs_may_be_paid_for() -> None:
    words = proved(
        "bounded",
        """
        tasks:
        - id: each
          items: "{% $input %}"
          max_items: 20
          tasks: [{id: a, agent: writer, retry: {strategy: constant, max_attempts: 3}}]
        """,
    ).words
    assert "at most 60 runs of agents" in words


@pytest.mark.parametrize(
    ("tasks", "way"),
    [
        ("- {id: a, output: 1, data: pii}\n- {id: s, needs: a, %s}", ("a", "s")),
        (
            "- {id: a, output: 1, data: pii}\n- {id: b, output: 1, needs: a}\n- {id: s, needs: b, %s}",
            ("a", "b", "s"),
        ),
        (
            "- {id: a, output: 1, data: pii}\n- {id: r, output: 1, data: redacted, needs: a}\n- {id: s, needs: r, %s}",
            (),
        ),
        (
            (
                "- {id: a, output: 1, data: pii}\n- {id: r, output: 1, data: redacted, needs: a}\n"
                "- {id: s, needs: [r, a], %s}"
            ),
            ("a", "s"),
        ),
        ("- {id: g, data: pii, tasks: [{id: a, output: 1}]}\n- {id: s, needs: g, %s}", ("g.a", "s")),
        (
            "- {id: a, output: [1], data: pii}\n- id: each\n  needs: a\n  items: '{%% $tasks.a %%}'\n  tasks: [{id: s, %s}]",
            ("a", "each", "each.s"),
        ),
        (
            "- id: each\n  items: [1]\n  tasks: [{id: a, output: 1, data: pii}, {id: s, %s}]",
            (),
        ),
        (
            "- id: each\n  items: [1]\n  tasks: [{id: a, output: 1, data: pii}]\n- {id: s, needs: each, %s}",
            ("each.a", "each", "s"),
        ),
        (
            "- id: each\n  items: [1]\n  tasks: [{id: a, output: 1, data: pii}]\n  data: redacted\n- {id: s, needs: each, %s}",
            (),
        ),
        (
            (
                "- id: l\n  until: '{%% true %%}'\n  max_iterations: 2\n  tasks:\n  - {id: a, output: 1, data: pii}\n"
                "  - {id: s, with: {x: '{%% $previous.a %%}'}, %s}"
            ),
            ("l.a", "l.s"),
        ),
    ],
)
def test_no_way_leads_outside_unredacted(tasks: str, way: tuple[str, ...]) -> None:
    found = proved(PII_REDACTED, "policy: {redact_pii: true}\ntasks:\n" + tasks % SEND + "\n")
    assert (found.holds, found.counter_example, found.is_required) == (not way, way, True)


def test_what_undoes_a_task_may_not_send_what_that_brought() -> None:
    text = f"tasks:\n- {{id: a, output: 1, data: pii, compensate: {{id: u, type: webhook, {SEND}}}}}\n"
    assert proved(PII_REDACTED, text).counter_example == ("a", "a.compensate")


def test_a_policy_that_is_not_asked_for_refuses_nothing() -> None:
    found = prove(document(f"tasks:\n- {{id: a, output: 1, data: pii}}\n- {{id: s, needs: a, {SEND}}}\n"))
    assert [one.name for one in found if not one.holds] == [PII_REDACTED]
    assert refusals(found) == []


def test_a_policy_that_is_asked_for_refuses_with_the_way() -> None:
    text = f"policy: {{redact_pii: true}}\ntasks:\n- {{id: a, output: 1, data: pii}}\n- {{id: s, needs: a, {SEND}}}\n"
    problem = refusals(prove(document(text)))[0]
    assert (problem.code, problem.task) == ("pii-redacted", "s")
    assert problem.detail.endswith(": a → s")


@pytest.mark.parametrize(
    ("tasks", "way"),
    [
        ("- {id: p, %s}", ("p",)),
        ("- {id: h, %s}\n- {id: p, needs: h, %s}", ()),
        ("- {id: h, %s}\n- {id: x, output: 1, needs: h}\n- {id: p, needs: x, %s}", ()),
        ("- {id: h, %s}\n- {id: x, output: 1}\n- {id: p, needs: [x, h], %s}", ()),
        ("- {id: h, %s}\n- {id: x, output: 1}\n- {id: p, needs: [x, h], run_when: any_done, %s}", ("x", "p")),
        ("- {id: h, %s}\n- {id: p, needs: h, run_when: always, %s}", ("p",)),
        ("- {id: h, on_deny: continue, %s}\n- {id: p, needs: h, %s}", ("h", "p")),
        (
            (
                "- {id: h, on_deny: continue, %s}\n"
                "- {id: p, needs: h, when: '{%% $tasks.h.decision = \"approve\" %%}', %s}"
            ),
            (),
        ),
        ("- {id: h, fallback: {output: 1}, %s}\n- {id: p, needs: h, %s}", ("h", "p")),
        ("- {id: h, %s}\n- id: each\n  needs: h\n  items: [1]\n  tasks: [{id: p, %s}]", ()),
        ("- id: each\n  items: [1]\n  tasks: [{id: p, %s}]", ("each", "each.p")),
        ("- {id: a, output: 1, compensate: {id: u, type: webhook, %s}}", ("a",)),
    ],
)
def test_what_happens_once_is_behind_a_yes(tasks: str, way: tuple[str, ...]) -> None:
    texts = (PAY,) if tasks.count("%s") == 1 else (ASK, PAY)
    found = proved(ONCE_APPROVED, "policy: {approve_once: true}\ntasks:\n" + tasks % texts + "\n")
    assert (found.holds, found.counter_example) == (not way, way)


def test_a_state_machine_passes_a_yes_on_every_way() -> None:
    text = """
        policy: {approve_once: true}
        start: a
        tasks:
        - {id: a, output: 1, next: [{to: h, when: "{%% $input.dear %%}"}, {to: %s}]}
        - {id: h, question: Well?, timeout_s: 60, next: [{to: p, when: "{%% $input.now %%}"}, {to: n}]}
        - {id: p, url: "https://example.com/pay", timeout_s: 60, effect: once}
        - {id: n, output: 1}
    """
    assert proved(ONCE_APPROVED, text % "p").counter_example == ("a", "p")
    assert proved(ONCE_APPROVED, text % "n").holds


def _await_of(machine: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    pending = [machine]
    while pending:
        for name, state in pending.pop()["States"].items():
            if name.endswith(" waits"):
                return name, state
            pending += state.get("Branches", [])
    raise AssertionError("no await")


def _without_deadlock(made: Compiled) -> Proof:
    return prove_no_deadlock(Subject(made.program.definition, made))


@pytest.mark.parametrize("name", ["crossing_4", "montage_25", "layers_5x5"])
def test_every_await_of_a_crossing_graph_has_a_releaser(name: str) -> None:
    found = _without_deadlock(compile_workflow(graph(kept(name))))
    assert found.holds
    assert not found.words.startswith("0 awaits")


def test_an_await_for_a_task_behind_it_is_a_deadlock() -> None:
    made = compile_workflow(graph(kept("crossing_4")))
    machine = copy.deepcopy(made.machine)
    name, state = _await_of(machine)
    state["Arguments"]["ExpressionAttributeNames"]["#n0"] = f"r:{name.partition(' ')[0]}"
    assert not _without_deadlock(Compiled(made.program, machine)).holds


def test_an_await_for_nobody_is_a_deadlock() -> None:
    made = compile_workflow(graph(kept("crossing_4")))
    machine = copy.deepcopy(made.machine)
    _, state = _await_of(machine)
    state["Arguments"]["ExpressionAttributeNames"]["#n0"] = "r:nobody"
    found = _without_deadlock(Compiled(made.program, machine))
    assert (found.holds, found.counter_example[0]) == (False, "nobody")


def test_awaits_that_their_room_makes_are_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_size, "MOST_REQUEST_BYTES", 0)
    made = compile_workflow(graph(kept("crossing_4")))
    assert _without_deadlock(made).words.startswith("1 awaits of the machine wait for 1 records")
    for join in ("nobody waits", f"{_await_of(made.machine)[0]} 2"):
        machine = copy.deepcopy(made.machine)
        _await_of(machine)[1]["Arguments"]["Payload"]["join"] = join
        assert not _without_deadlock(Compiled(made.program, machine)).holds
    latches = {
        name: (one[0].model_copy(update={"needs": ("t3",)}),) for name, one in made.program.latches.items()
    }
    assert not _without_deadlock(
        Compiled(made.program.model_copy(update={"latches": latches}), made.machine)
    ).holds


def test_a_record_that_is_kept_elsewhere_frees_nobody() -> None:
    made = compile_workflow(graph(kept("crossing_4")))
    tasks = {
        path: one.model_copy(update={"latch": path, "marks": ()}) for path, one in made.program.tasks.items()
    }
    found = _without_deadlock(Compiled(made.program.model_copy(update={"tasks": tasks}), made.machine))
    assert not found.holds
    assert "does not look" in found.words


def test_a_way_around_an_awaited_task_is_a_deadlock() -> None:
    made = compile_workflow(graph(kept("crossing_4")))
    machine = copy.deepcopy(made.machine)
    name, state = _await_of(machine)
    state["Catch"].append({"ErrorEquals": ["States.ALL"], "Next": "t0"})
    assert not _without_deadlock(Compiled(made.program, machine)).holds
    assert name


def test_bodies_have_awaits_of_their_own() -> None:
    definition, made = compiled("""
        tasks:
        - id: each
          items: "{% $input %}"
          tasks:
          - {id: a, output: 1}
          - {id: b, seconds: 5}
          - {id: c, output: 1, needs: a}
          - {id: d, output: 1, needs: [a, b]}
        - id: again
          until: "{% true %}"
          max_iterations: 3
          tasks:
          - {id: a, output: 1}
          - {id: b, output: 1}
          - {id: c, output: 1, needs: a}
          - {id: d, output: 1, needs: [a, b]}
    """)
    found = prove_no_deadlock(Subject(definition, made))
    assert found.holds, found
    assert found.words.startswith("2 awaits")
