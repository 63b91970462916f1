"""What tasks say beside their order: types, settings, times, tries, arguments, and what a machine can hold."""

from __future__ import annotations

import pytest

from stepward.domain.documents.problems import MOST_PROBLEMS, Refused
from stepward.workflows.checks import examine
from tests.support.workflow_texts import HEAD, found, only, told


@pytest.mark.parametrize(
    ("task", "code", "field", "fix"),
    [
        ("{id: a, type: agnt}", "unknown-type", "type", "did you mean 'agent'?"),
        ("{id: a}", "missing-field", "type", "add `type`: one of agent"),
        ("{id: a, agent: xx, tool: calculate}", "missing-field", "type", "add `type`: one of agent"),
        ("{id: a, agent: xx, timout_s: 3}", "unknown-field", "timout_s", "did you mean 'timeout_s'?"),
        ("{id: a, agent: xx, inptus: {}}", "unknown-field", "inptus", "did you mean 'inputs'?"),
        ("{id: a, agent: xx, qqqqqq: {}}", "unknown-field", "qqqqqq", "remove 'qqqqqq'"),
        ("{id: a, agent: xx, versoin: 1.0.0}", "unknown-field", "versoin", "did you mean 'version'?"),
        ("{id: a, agent: Writer}", "malformed", "agent", "use 2 to 63 small letters"),
        (
            "{id: a, agent: xx, tasks: [{id: b, agent: xx}]}",
            "unknown-field",
            "tasks",
            "use the type parallel",
        ),
        ("{id: a, seconds: 30, timeout_s: 2}", "timeout-under-wait", "timeout_s", "take `timeout_s` out"),
        ("{id: a, agent: xx, name: %s}" % ("x" * 121), "wrong-value", "name", "use a shorter text"),
        ("{id: a, output: '{% $input.x'}", "mixed-expression", "output", "end it, as in"),
        ("{id: a, tool: calculat}", "wrong-setting", "tool", "did you mean 'calculate'?"),
        (
            "{id: a, tool: hand_off, config: {agent: xx}}",
            "wrong-setting",
            "tool",
            "use a task of type agent, subworkflow or human",
        ),
        ("{id: a, foreach: [1]}", "wrong-setting", "tasks", "give it tasks"),
        (
            "{id: a, question: Well?, timeout_s: 900, escalate_after_s: 60, escalate_to: [ann]}",
            "wrong-setting",
            "escalate_to",
            "change `",
        ),
        (
            "{id: a, question: Well?, timeout_s: 90, reminder_after_s: 90}",
            "wrong-setting",
            "reminder_after_s",
            "change `",
        ),
        (
            "{id: a, foreach: [1, 2], max_items: 1, do: {agent: xx}}",
            "wrong-setting",
            "items",
            "raise `max_items`",
        ),
        (
            "{id: a, until: $iteration, do: {agent: xx}}",
            "missing-field",
            "max_iterations",
            "add 'max_iterations'",
        ),
        (
            "{id: a, seconds: 3, until: 2026-12-24T18:00:00Z}",
            "wrong-setting",
            "seconds",
            "give `seconds` or `until`",
        ),
        ("{id: a, seconds: yes}", "wrong-value", "seconds", "use a whole number, without quotes"),
        ("{id: a, wait_for_call: yes, timeout_s: 3}", "wrong-value", "wait_for_call", "use true or false"),
        ("{id: a, wait_for_call: false}", "wrong-setting", "url", "give `url`, or `wait_for_call: true`"),
        (
            "{id: a, agent: xx, run_when: allways}",
            "not-a-choice",
            "run_when",
            "use 'all_done', 'any_done' or 'always'",
        ),
        ("{id: a, agent: xx, priority: 11}", "wrong-value", "priority", "use a smaller number"),
        (
            "{id: a, agent: xx, retry: {max_attemps: 3}}",
            "unknown-field",
            "retry.max_attemps",
            "did you mean 'max_attempts'?",
        ),
        ("{id: a, agent: xx, retry: 11}", "wrong-value", "retry.max_attempts", "use a smaller number"),
        ("{id: a, agent: xx, with: [1]}", "wrong-value", "with", "write a mapping"),
        ("{id: a, question: Sure?}", "no-timeout", None, "add `timeout_s`"),
        ("{id: a, wait_for_call: true}", "no-timeout", None, "add `timeout_s`"),
        (
            "{id: a, agent: xx, timeout_s: 90000}",
            "timeout-over-workflow",
            "timeout_s",
            "give the workflow `timeout_s: 90000`",
        ),
        ("{id: a, seconds: 90000}", "timeout-over-workflow", "seconds", "give the workflow more `timeout_s`"),
        ("{id: a, agent: xx, fallback: 3, on_error: fail}", "fallback-unused", "fallback", "keep one of"),
        ("{id: a, agent: xx, compensate: {agent: xx}}", "compensation", "type", "use a type such as tool"),
        (
            "{id: a, agent: xx, compensate: {output: 3, needs: [a]}}",
            "compensation",
            "needs",
            "take `needs` out",
        ),
        (
            "{id: a, url: 'https://example.com/x', retry: 2}",
            "once-retried",
            "retry",
            "give it `retry: {strategy: none}`",
        ),
        ("{id: a, agent: xx, priority: [1], priority: 2}", "duplicate-key", None, "keep one of the two"),
    ],
)
def test_a_task_says_what_its_type_reads(task: str, code: str, field: str | None, fix: str) -> None:
    problem = only(f"tasks:\n- {task}\n")
    assert (problem.code, problem.field) == (code, field)
    assert problem.fix.startswith(fix)
    assert problem.line == 5
    assert problem.task == (
        None if code == "duplicate-key" else "a.compensate" if code == "compensation" else "a"
    )


@pytest.mark.parametrize(
    "task",
    [
        "{id: a, question: Sure?, timeout_s: 3}",
        "{id: a, url: 'https://example.com/x'}",
        "{id: a, url: 'https://example.com/x', method: GET, retry: 3}",
        "{id: a, url: 'https://example.com/x', effect: idempotent, retry: 3}",
        "{id: a, agent: xx, fallback: 3}",
        "{id: a, agent: xx, fallback: 3, on_error: continue}",
        "{id: a, tool: orders.find_order, with: {anything: 1}}",
        "{id: a, agent: xx, compensate: {tool: calculate, with: {expression: '1'}}}",
    ],
)
def test_what_fits_is_left_alone(task: str) -> None:
    assert told(f"tasks:\n- {task}\n") == []


def test_the_workflows_retry_does_not_repeat_what_must_happen_once() -> None:
    text = "retry: 3\ntasks:\n- {id: a, url: 'https://example.com/x'%s}\n"
    assert told(text % "") == [("once-retried", "a", None)]
    assert told(text % ", retry: {strategy: none}") == []


@pytest.mark.parametrize(
    ("text", "code", "field", "fix"),
    [
        ("retri: 3\n", "unknown-field", "retri", "did you mean 'retry'?"),
        ("dependncies: {}\n", "unknown-field", "dependncies", "did you mean 'dependencies'?"),
        ("policy: {redact: true}\n", "unknown-field", "policy.redact", "did you mean 'redact_pii'?"),
        ("allow_partial: yes\n", "wrong-value", "allow_partial", "use true or false, without quotes"),
        ("on_error: stumble\n", "not-a-choice", "on_error", "use 'fail' or 'continue'"),
        (
            "input: {type: object, properties: {a: {type: text}}}\n",
            "wrong-schema",
            "input",
            "write a JSON Schema",
        ),
        ("input: {type: string}\n", "wrong-schema", "input", "write a JSON Schema"),
        ("timeout_s: 0\n", "wrong-value", "timeout_s", "use a larger number"),
        ("cost_limit_usd: -1\n", "wrong-value", "cost_limit_usd", "use a larger number"),
        ("output: 'Dear {% $input.x %}'\n", "mixed-expression", "output", "write the whole value"),
    ],
)
def test_a_workflow_says_what_is_known(text: str, code: str, field: str, fix: str) -> None:
    problem = only(text + "tasks:\n- {id: a, agent: xx}\n")
    assert (problem.code, problem.task, problem.field, problem.line) == (code, None, field, 4)
    assert problem.fix.startswith(fix)


def test_a_misspelt_field_is_told_where_the_type_is_missing_too() -> None:
    problems = found("tasks:\n- {id: a, typ: transform, outptu: 1, neds: [b]}\n- {id: b, output: 1}\n")
    assert {one.field: one.fix for one in problems if one.code == "unknown-field"} == {
        "typ": "did you mean 'type'?", "outptu": "did you mean 'output'?", "neds": "did you mean 'needs'?"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("tasks: []\n", "tasks has 0 items, and 1 are the least"),
        ("tasks: [3]\n", "0 '3' is no mapping"),
        ("tasks: [{id: a, output: 1}]\npolicy: 3\n", "policy '3' is no mapping"),
    ],
)
def test_what_has_another_shape_is_told_without_the_words_of_python(text: str, detail: str) -> None:
    assert only(text).detail == detail


def test_versions_that_yaml_takes_for_numbers_are_told() -> None:
    problems = examine("id: demo\nname: Demo\nversion: 1.0\ntasks: [{id: a, agent: xx}]\n")[1]
    assert [(one.field, one.line, one.fix) for one in problems] == [
        ("version", 3, "use a text; quotes make one of anything")
    ]


def test_all_that_is_wrong_comes_at_once_in_its_order() -> None:
    problems = found("""
        retri: 3
        tasks:
        - {id: a, agent: xx, needs: [a], when: $nothing.x}
        - {id: 9b, tool: calculate, timeout_s: soon}
        - {id: c, agent: xx, needs: [9b, d]}
        - {agent: xx}
        - {id: q, question: Sure?, priority: high}
    """)
    assert [(one.line, one.code) for one in problems] == [
        (5, "unknown-field"),
        (7, "self-dependency"),
        (7, "unknown-variable"),
        (8, "missing-argument"),
        (8, "malformed"),
        (8, "wrong-value"),
        (9, "missing-task"),
        (10, "missing-field"),
        (11, "no-timeout"),
        (11, "wrong-value"),
    ]


def test_there_are_never_more_problems_than_a_person_reads() -> None:
    text = "tasks:\n" + "".join(f"- {{id: t{n}, agent: xx, needs: [no{n}], bad: 1}}\n" for n in range(1_000))
    assert len(found(text)) == MOST_PROBLEMS


def test_problems_are_an_invalid_request_that_lists_them() -> None:
    with pytest.raises(Refused) as caught:
        raise Refused(found("tasks:\n- {id: a, agent: xx, needs: [b, c]}\n"))
    error = caught.value
    assert (error.code, error.http_status, error.field) == ("InvalidRequest", 400, "needs.0")
    assert error.detail == "there is no task 'b' (and 1 more)"
    assert error.errors[1] == {
        "code": "missing-task", "detail": "there is no task 'c'", "fix": "there is no other task beside it",
        "task": "a", "field": "needs.1", "line": 5, "column": 33,
    }  # fmt: skip


def test_values_are_checked_like_texts() -> None:
    values = {
        "id": "demo",
        "name": "Demo",
        "version": "1.0.0",
        "tasks": [{"id": "a", "agent": "xx", "needs": ["b"]}],
    }
    definition, problems = examine(values)
    assert definition is None
    assert [(one.code, one.task, one.line) for one in problems] == [("missing-task", "a", None)]
    assert values["tasks"] == [{"id": "a", "agent": "xx", "needs": ["b"]}]


def test_a_definition_without_problems_is_given() -> None:
    definition, problems = examine(HEAD + "tasks:\n- {id: a, agent: xx}\n")
    assert problems == []
    assert definition is not None
    again, none = examine(definition.model_dump(mode="json"))
    assert (again, none) == (definition, [])
