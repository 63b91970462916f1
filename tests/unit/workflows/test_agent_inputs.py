"""What a workflow gives an agent is held to what the agent wants: where it is written out before anything runs."""

from __future__ import annotations

import pytest

from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.agents.register import Register
from stepward.domain.documents.problems import Problem, Refused
from stepward.workflows.services.register import RegisterWorkflow
from tests.support.builders import an_agent_body
from tests.support.workflow_texts import HEAD

SCHEMA = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["order_id"],
}


def problems(given: str, schema: object = SCHEMA) -> list[Problem]:
    """Register a workflow whose one agent task is given this, and give what is refused."""
    agents, clock = MemoryRegistry(), StillClock()
    Register(agents, clock, ())("acme", an_agent_body(id="desk", input_schema=schema))
    register = RegisterWorkflow(MemoryWorkflowRegistry(), agents, clock, lambda *_: None)
    text = f"{HEAD}tasks:\n- id: ask\n  agent: desk\n  with: {given}\n"
    try:
        register.compiled("acme", text, "auto")
    except Refused as refused:
        return refused.problems
    return []


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ("{order: SO-1}", "with.order_id", "input.order_id: it is missing"),
        ("{order_id: 7}", "with.order_id", "input.order_id: it should be string"),
        ("{input: {order_id: 7}}", "with.input.order_id", "input.order_id: it should be string"),
        ("{input: SO-1}", "with.input", "input: it should be object"),
        ("{count: '{% $input.n %}'}", "with.order_id", "input.order_id: it is missing"),
        ("{order_id: '{% $input.id %}', count: many}", "with.count", "input.count: it should be integer"),
    ],
)
def test_an_input_that_is_written_out_and_does_not_fit_is_told(given: str, field: str, said: str) -> None:
    (problem,) = problems(given)
    assert (problem.code, problem.task, problem.field) == ("wrong-input", "ask", field)
    assert said in problem.detail
    assert problem.line == 7
    assert "GET /agents/desk" in problem.fix


@pytest.mark.parametrize(
    "given",
    [
        "{order_id: SO-1, count: 2}",
        "{input: {order_id: SO-1}}",
        "{order_id: '{% $input.id %}'}",
        "{input: '{% $input %}'}",
        "{order_id: '{% $input.id %}', count: '{% $input.n %}'}",
    ],
)
def test_what_fits_or_is_computed_is_taken(given: str) -> None:
    assert problems(given) == []


def test_an_agent_that_wants_a_text_is_given_one() -> None:
    assert problems("{input: hello}", {"type": "string"}) == []
    assert [one.code for one in problems("{order_id: SO-1}", {"type": "string"})] == ["wrong-input"]
