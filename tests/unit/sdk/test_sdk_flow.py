"""A `Flow` makes the document that the same workflow in YAML is, and refuses at once what could never be one."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from stepward.domain.retries import Backoff, Retry
from stepward.sdk import BadCall, Flow, flow, jsonata, step
from stepward.workflows.checks.validate import definition_from
from stepward.workflows.documents.normalize import read
from tests.support.docs_pages import page
from tests.unit.sdk.flows import a_flow, same


def needs(made: Flow) -> dict[str, list[str]]:
    return {task["id"]: task.get("needs", []) for task in made.document()["tasks"]}


def test_the_modules_example_is_true() -> None:
    assert doctest.testmod(flow).failed == 0
    assert doctest.testmod(flow).attempted


def test_the_pages_flow_is_one() -> None:
    text = next(
        block
        for block in re.findall(r"```python\n(.*?)```", page("guides/workflows.md"), re.DOTALL)
        if "flow = Flow(" in block
    )
    names: dict[str, Any] = {}
    exec(text.partition("client = ")[0], names)
    made = definition_from(names["flow"].document())
    assert [task.needs for task in made.tasks] == [(), ("total",), ("exact",)]


def test_tasks_need_what_their_expressions_speak_of() -> None:
    made = Flow("billing-flow", version="1.0.0", name="Billing", retry=2, cost_limit_usd=Decimal("1.50"))
    total = made.transform("total", output=jsonata("$input.price * $input.count"))
    exact = made.tool("exact", "calculate", expression=jsonata(f"$string({total.output}) & ' * 1.19'"))
    note = made.transform("note", output=jsonata(f"'for ' & {made.input.who}"), when="$input.who != ''")
    made.transform("bill", output={"text": note.output, "total": exact.output.value}, run_when="any_done")
    text = """
    id: billing-flow
    name: Billing
    version: 1.0.0
    retry: 2
    cost_limit_usd: "1.50"
    tasks:
      - {id: total, type: transform, output: "{% $input.price * $input.count %}"}
      - id: exact
        tool: calculate
        needs: total
        with: {expression: "{% $string($tasks.total) & ' * 1.19' %}"}
      - {id: note, type: transform, when: $input.who != '', output: "{% 'for ' & $input.who %}"}
      - id: bill
        needs: [note, exact]
        run_when: any_done
        output: {text: "{% $tasks.note %}", total: "{% $tasks.exact.value %}"}
    """
    same(made, text)


def test_every_type_of_task_can_be_written() -> None:
    made = a_flow(policy={"approve_once": True}, max_parallel=4, allow_partial=True)
    big = made.condition("big", "$input.amount > 100")
    made.human(
        "ok",
        jsonata(f"'Pay ' & $string({made.input.amount}) & '?'"),
        needs=[big.then],
        timeout_s=3600,
        approvers=["ann"],
        form=[{"name": "amount", "type": "number"}],
        on_deny="continue",
    )
    asked = made.agent("ask", "helper", input=made.input.text, needs=big.otherwise, version="1.0.0")
    made.subworkflow("more", "other-flow", text=asked.output, on_error="continue")
    made.webhook(
        "tell", url="https://shop.example/hook", said=asked.output, timeout_s=60, effect="idempotent"
    )
    made.event("told", "order.paid", answer=asked.output)
    made.wait("pause", seconds=60, needs=asked)
    undo = step("tool", tool="calculate", inputs={"expression": "1"})
    retry = Retry(strategy=Backoff.LINEAR, max_attempts=2)
    made.tool("pay", "calculate", inputs={"expression": "1"}, needs="pause", compensate=undo, retry=retry)
    text = """
    id: demo
    name: Demo
    version: 1.0.0
    policy: {approve_once: true}
    max_parallel: 4
    allow_partial: true
    tasks:
      - {id: big, type: condition, test: $input.amount > 100, then: ok, else: ask}
      - id: ok
        question: "{% 'Pay ' & $string($input.amount) & '?' %}"
        timeout_s: 3600
        approvers: [ann]
        form: [{name: amount, type: number}]
        on_deny: continue
      - {id: ask, agent: helper, version: 1.0.0, with: {input: "{% $input.text %}"}}
      - {id: more, workflow: other-flow, needs: ask, on_error: continue, with: {text: "{% $tasks.ask %}"}}
      - id: tell
        url: https://shop.example/hook
        effect: idempotent
        timeout_s: 60
        needs: ask
        with: {said: "{% $tasks.ask %}"}
      - {id: told, event: order.paid, needs: ask, with: {answer: "{% $tasks.ask %}"}}
      - {id: pause, seconds: 60, needs: ask}
      - id: pay
        tool: calculate
        needs: pause
        with: {expression: "1"}
        retry: {strategy: linear, max_attempts: 2}
        compensate: {type: tool, tool: calculate, with: {expression: "1"}}
    """
    same(made, text)


def test_texts_and_comments_name_nobody() -> None:
    made = a_flow()
    made.transform("a", output=1)
    made.transform("b", output=jsonata('\'$tasks.a\' & "it\\"s $tasks.a" /* $tasks.a */'))
    made.transform("c", output="$tasks.a is what it says")
    made.transform("d", output=jsonata("$tasks . `a` + $errors.nobody.code"))
    assert needs(made) == {"a": [], "b": [], "c": [], "d": ["a"]}


def test_fields_are_reached_by_name_index_and_odd_names() -> None:
    made = a_flow()
    order = made.transform("order", output={})
    assert str(order.output.lines[0].price) == "$tasks.order.lines[0].price"
    assert str(order.output["odd name"]["from"]) == "$tasks.order.`odd name`.from"
    assert f"{order.error.code} {made.run.id}" == "$errors.order.code $run.id"
    assert jsonata(jsonata(order.output)) == "{% $tasks.order %}"


def test_the_text_of_a_flow_is_its_document() -> None:
    made = a_flow(description="Grüße")
    made.transform("a", output=(1, None))
    assert read(made.json()).tree == made.document()
    assert made.document()["tasks"][0]["output"] == [1, None]


def outside_of_a_body(made: Flow) -> None:
    with made.foreach("each", [1, 2]):
        inner = made.transform("inner", output=1)
    made.transform("late", output=inner.output)


def hidden_by_another(made: Flow) -> None:
    made.transform("a", output=1)
    with made.foreach("each", [1, 2]):
        made.transform("a", output=1)


def branch_into_a_body(made: Flow) -> None:
    big = made.condition("big", "true")
    with made.foreach("each", [1]):
        made.transform("a", output=1, needs=big.then)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (outside_of_a_body, "not seen outside of it"),
        (hidden_by_another, "already that is seen from here"),
        (branch_into_a_body, "is not in the same body as"),
        (lambda made: made.transform("a b", output=1), "not an id of a task"),
        (lambda made: made.transform("ä", output=1), "not an id of a task"),
        (lambda made: made.transform("a", output=1, timout_s=3), "no option 'timout_s'"),
        (lambda made: made.transform("a", output=made.transform("b", output=1)), r"its `\.output`"),
        (lambda made: made.transform("a", output={1, 2}), "not a value of a document"),
        (lambda made: made.transform("a", output=jsonata(" ")), "is empty"),
        (lambda made: made.transform("a", output=1, when=made.input.n == 1), "cannot be compared yet"),
        (lambda made: made.transform("a", output={"big": made.input.n != 1}), "cannot be compared yet"),
        (lambda made: made.transform("a", output=1, when=jsonata(True)), "already evaluated it"),
        (lambda made: made.transform("a", output=1 if made.input.vip else 2), "neither true nor false yet"),
        (lambda made: made.transform("a", output=[*made.input.lines]), "no entries yet"),
        (lambda made: made.input["a`b"], "backtick"),
    ],
)
def test_what_could_never_run_is_refused_where_it_is_written(
    wrong: Callable[[Flow], object], said: str
) -> None:
    with pytest.raises(BadCall, match=said):
        wrong(a_flow())


def test_a_misspelt_option_of_the_flow_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadCall, match="Did you mean 'timeout_s'"):
        a_flow(timeout=3)
