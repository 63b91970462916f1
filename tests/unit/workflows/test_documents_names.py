"""Fields have the names that people know for them, and short forms; what is kept has one name for each."""

from __future__ import annotations

from textwrap import indent
from typing import Any

import pytest

from stepward.domain.documents.yaml_text import read_yaml
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.workflows.documents import Position, definition_of, document_of, read
from tests.support.workflow_texts import HEAD, schema


def defined(text: str) -> WorkflowDefinition:
    definition, problems = definition_of(read(HEAD + text))
    assert [one.message for one in schema().iter_errors(read_yaml(HEAD + text).tree)] == []
    assert [str(one) for one in problems] == []
    assert definition is not None
    return definition


def one_task(text: str) -> TaskDefinition:
    return defined(f"tasks:\n- id: a\n{indent(text, '  ')}\n").tasks[0]


def problems_of(text: str) -> list[tuple[str, str | None, str | None, int | None]]:
    _, problems = definition_of(read(HEAD + text))
    return [(one.code, one.task, one.field, one.line) for one in problems]


def test_a_workflow_of_the_plain_field_names_is_taken_as_it_stands() -> None:
    definition, problems = definition_of(
        document_of(
            {
                "id": "report",
                "name": "Report",
                "version": "1.0.0",
                "tasks": [
                    {"id": "find", "type": "tool", "agent_id": None, "tool_id": "calculate", "condition": None,
                     "inputs": {"expression": "1 + 1"}, "outputs": {"result": "write.number"}},
                    {"id": "write", "type": "agent", "agent_id": "writer", "tool_id": None, "inputs": {},
                     "outputs": {}, "condition": "$tasks.find.result > 1"},
                ],
                "dependencies": {"find": [], "write": ["find"]},
                "retry_config": {"strategy": "exponential", "max_retries": 2, "base_delay": 1.0, "max_delay": 60.0,
                                 "exponential_base": 2.0, "jitter": True},
                "error_handling": {"strategy": "continue", "allow_partial_completion": True},
            }
        )
    )  # fmt: skip
    assert problems == []
    assert definition is not None
    write = definition.tasks[1]
    assert write.needs == ("find",)
    assert write.inputs == {"number": "{% $tasks.find.result %}"}
    assert write.when == "{% $tasks.find.result > 1 %}"
    assert write.settings == {"agent": "writer"}
    assert definition.retry is not None
    assert (definition.retry.attempts, definition.retry.jitter) == (3, True)
    assert (definition.on_error, definition.allow_partial) == ("continue", True)


@pytest.mark.parametrize(
    ("text", "kind", "own"),
    [
        ("agent: xx", "agent", {"agent": "xx"}),
        ("agent_id: xx\nversion: 1.0.0", "agent", {"agent": "xx", "version": "1.0.0"}),
        ("tool_id: calculate", "tool", {"tool": "calculate"}),
        ("workflow_id: other", "subworkflow", {"workflow": "other"}),
        ("question: Sure?", "human", {"question": "Sure?"}),
        ("seconds: 3", "wait", {"seconds": 3}),
        ("until: 2026-12-24T18:00:00Z", "wait", {"until": "2026-12-24T18:00:00Z"}),
        ("url: https://example.com", "webhook", {"url": "https://example.com"}),
        ("wait_for_call: true", "webhook", {"wait_for_call": True}),
        ("event: order.done", "event", {"event": "order.done"}),
        ("output: 3", "transform", {"output": 3}),
        ("output: null", "transform", {"output": None}),
        (
            "test: $input.ok\nthen: b\nelse: [c]",
            "condition",
            {"test": "{% $input.ok %}", "then": ["b"], "otherwise": ["c"]},
        ),
        ("type: condition\ncondition: $input.ok", "condition", {"test": "{% $input.ok %}"}),
        ("type: condition\nexpression: $input.ok", "condition", {"test": "{% $input.ok %}"}),
    ],
)
def test_the_type_is_told_by_its_field(text: str, kind: str, own: dict[str, Any]) -> None:
    task = one_task(text)
    assert (task.type, task.settings) == (kind, own)


@pytest.mark.parametrize(
    "text",
    [
        "foreach: [1, 2]\ndo: {agent: xx}",
        "foreach: [1, 2]\ndo:\n- {id: do, agent: xx}",
        "items: [1, 2]\ntasks:\n  do: {agent: xx}",
        "type: foreach\nitems: [1, 2]\ntasks:\n- {id: do, type: agent, agent: xx}",
    ],
)
def test_a_body_may_be_one_task_a_list_or_a_mapping(text: str) -> None:
    task = one_task(text)
    assert task.type == "foreach"
    assert task.settings == {"items": [1, 2]}
    assert [(inner.id, inner.type) for inner in task.tasks] == [("do", "agent")]


def test_groups_and_loops_are_told_by_their_tasks() -> None:
    assert one_task("parallel:\n- {id: b, agent: xx}").type == "parallel"
    assert one_task("tasks:\n- {id: b, agent: xx}").type == "parallel"
    loop = one_task("until: $iteration > 2\nmax_iterations: 5\ndo: {agent: xx}")
    assert (loop.type, loop.settings["until"]) == ("loop", "{% $iteration > 2 %}")


@pytest.mark.parametrize(
    ("written", "attempts", "strategy"),
    [
        ("retry: 3", 3, "exponential"),
        ("max_retries: 3", 4, "exponential"),
        ("retry: {max_attempts: 4}", 4, "exponential"),
        ("retry: {strategy: none}", 1, "none"),
        ("retry_config: {strategy: Constant Delay, max_retries: 1, base_delay: 2}", 2, "constant"),
        ("retry: {strategy: linear_backoff, max_attempts: 2}", 2, "linear"),
        ("error_handling: retry", 3, "exponential"),
        ("error_handling: {strategy: retry, retry: 5}", 3, "exponential"),
    ],
)
def test_retries_have_many_spellings(written: str, attempts: int, strategy: str) -> None:
    if "retry: 5" in written:
        assert problems_of(f"tasks:\n- id: a\n  agent: xx\n  {written}")[0][0] == "one-field-twice"
        return
    retry = one_task(f"agent: xx\n{written}").retry
    assert retry is not None
    assert (retry.attempts, retry.strategy.value) == (attempts, strategy)


def test_rules_for_failures_have_many_spellings() -> None:
    assert one_task("agent: xx\non_error: fail-fast").on_error == "fail"
    assert one_task("agent: xx\nerror_handling: continue").on_error == "continue"
    task = one_task("agent: xx\nerror_handling: {fallback: 3}")
    assert task.fallback is not None
    assert task.fallback.output == 3
    for written, output in (("{output: 4}", 4), ("{decision: deny}", {"decision": "deny"}), ("[1]", [1])):
        said = one_task(f"agent: xx\nfallback: {written}")
        assert said.fallback is not None
        assert said.fallback.output == output


def test_needs_transitions_and_times_have_short_forms() -> None:
    definition = defined(
        "start: a\ntimeout: 60.0\nmax_parallel_agents: 2\ntasks:\n"
        "- {id: a, agent: xx, next: b, timeout: 5}\n"
        "- {id: b, agent: xx, next: [{to: a, when: $tasks.b.again}, a]}\n"
    )
    assert (definition.timeout_s, definition.max_parallel) == (60, 2)
    assert definition.tasks[0].timeout_s == 5
    assert [(one.to, one.when) for one in definition.tasks[1].next] == [
        ("a", "{% $tasks.b.again %}"),
        ("a", None),
    ]
    both = defined("tasks:\n- {id: a, agent: xx}\n- {id: b, agent: xx, depends_on: a}\n")
    assert both.tasks[1].needs == ("a",)


def test_what_undoes_a_task_needs_no_id() -> None:
    task = one_task("agent: xx\ncompensate: {tool_id: calculate}")
    assert task.compensate is not None
    assert (task.compensate.id, task.compensate.type) == ("undo", "tool")


def test_places_are_those_of_what_was_written() -> None:
    text = (
        "tasks:\n  a:\n    agent_id: xx\n  b:\n    agent: y\n    max_retries: 99\ndependencies:\n  b: [a]\n"
    )
    document = read(text)
    assert document.position(("tasks", 0, "agent")) == Position(3, 5)
    assert document.position(("tasks", 1, "retry", "max_attempts")) == Position(6, 5)
    assert document.position(("tasks", 1, "needs", 0)) == Position(8, 7)
    assert document.position(("tasks", 1, "id")) == Position(4, 3)


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("tasks:\n- {id: a, agent: xx, agent_id: y}", "one-field-twice", "agent_id"),
        ("tasks:\n- {id: a, agent: xx, with: {}, inputs: {}}", "one-field-twice", "inputs"),
        ("tasks:\n- {id: a, agent: xx, depends_on: b, needs: b}", "one-field-twice", "needs"),
        ("tasks:\n- {id: a, agent: xx, timeout: 3, timeout_s: 4}", "one-field-twice", "timeout_s"),
        ("tasks:\n- {id: a, agent: xx, error_handling: fail, on_error: fail}", "one-field-twice", "on_error"),
        ("tasks:\n- {id: a, agent: xx, error_handling: {stratgy: fail}}", "unknown-field", "stratgy"),
        ("tasks:\n- {id: a, agent: xx, settings: {tempo: 3}}", "unknown-field", "settings"),
        ("tasks:\n  a: {id: b, agent: xx}", "one-field-twice", "id"),
        ("tasks:\n- {id: a, agent: xx, outputs: {text: nobody.text}}", "missing-task", "text"),
        ("tasks:\n- {id: a, agent: xx, outputs: {text: a}}", "missing-task", "text"),
        ("tasks:\n- {id: a, agent: xx, outputs: [text]}", "wrong-type", "outputs"),
        (
            "tasks:\n- {id: a, agent: xx, outputs: {text: b.t}}\n- {id: b, agent: xx, with: {t: 1}}",
            "one-field-twice",
            "text",
        ),
        ("dependencies: [a]\ntasks:\n- {id: a, agent: xx}", "wrong-type", "dependencies"),
        ("dependencies: {b: [a]}\ntasks:\n- {id: a, agent: xx}", "missing-task", "b"),
        ("retry: 3\nretry_config: 4\ntasks:\n- {id: a, agent: xx}", "one-field-twice", "retry_config"),
    ],
)
def test_one_thing_said_twice_or_nowhere_is_a_problem(text: str, code: str, field: str) -> None:
    found = problems_of(text)
    assert (code, field) in [(one[0], one[2]) for one in found]
    assert all(line is not None for *_, line in found)
