"""The runs that are killed: the reference runs, and one of each shape that waits for somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import yaml

from infra.local.bench.counts import RUNS
from infra.local.library import BENCH

Document = dict[str, Any]
Kind = Literal["agents", "workflows"]
WAIT_S = 600
_ANSWER = {"say": "Done."}
_CALCULATE = {"tool": "calculate", "arguments": {"expression": "6 * 7"}}
_MADE: Document = {"id": "made", "type": "transform", "output": 1}
_CALL: Document = {"type": "webhook", "wait_for_call": True, "timeout_s": WAIT_S}


@dataclass(frozen=True)
class Shape:
    """A run, and what must be registered before it, each with its part of the API.

    `asks_model` says that a model answers it, and its rehearsal says what that would.
    """

    name: str
    kind: Kind
    document: Document
    before: tuple[tuple[Kind, Document], ...] = ()
    asks_model: bool = False


def shapes(site: str) -> dict[str, Shape]:
    """Name every shape; `site` is the address of the site that webhooks call."""
    model = Shape("model", "agents", MODEL_AGENT, asks_model=True)
    every = [*_reference_runs(), model, *_asking_agents(), *_waiting_workflows(site), *_compound_workflows()]
    return {shape.name: shape for shape in every}


def _reference_runs() -> list[Shape]:
    one_turn = _library("one_turn")
    runs = [Shape(name, "agents", _library(name)) for name in RUNS]
    return [*runs, Shape("asks_one", "agents", _library("asks_one"), (("agents", one_turn),))]


def _asking_agents() -> list[Shape]:
    """Agents that wait for a person's answer, for a person's yes, and for a workflow."""
    person = {"tool": "ask_person", "arguments": {"question": "May I?"}}
    guarded = {
        "tool": "calculate",
        "name": "checked",
        "approval": {"timeout_s": WAIT_S, "not_requester": False},
    }
    asking = {"tool": "ask_person", "config": {"timeout_s": WAIT_S, "not_requester": False}}
    inner = _workflow("inner-of-agent", _MADE)
    return [
        Shape("person", "agents", _agent("person", [person], [asking])),
        Shape("approval", "agents", _agent("approval", [_sum("checked")], [guarded])),
        Shape(
            "agent_workflow",
            "agents",
            _agent("agent-workflow", [{"tool": "flow"}], [_runs(inner)]),
            (("workflows", inner),),
        ),
    ]


def _waiting_workflows(site: str) -> list[Shape]:
    """Return workflows whose task waits for an agent, a person or a call."""
    human = {"id": "ask", "type": "human", "question": "May I?", "not_requester": False, "timeout_s": WAIT_S}
    agent = {"id": "ask", "agent": _library("one_turn")["id"], "with": {"input": "Go."}}
    webhook = {**_CALL, "id": "call", "url": f"{site}/started", "with": {"task": "call"}}
    return [
        Shape("child", "workflows", _workflow("child", agent), (("agents", _library("one_turn")),)),
        Shape("human", "workflows", _workflow("human", human, output="{% $tasks.ask.decision %}")),
        Shape("callback", "workflows", _workflow("callback", {**_CALL, "id": "call"})),
        Shape("webhook", "workflows", _workflow("webhook", webhook)),
    ]


def _compound_workflows() -> list[Shape]:
    """Workflows that run another, a list in chunks, and tasks that wait for each other."""
    inner = _workflow("inner", _MADE)
    within = {"id": "within", "type": "subworkflow", "workflow": inner["id"]}
    each = {
        "id": "each", "type": "foreach", "items": [1, 2, 3, 4], "chunk_size": 2, "collect": "{% $tasks.double %}",
        "tasks": [{"id": "double", "type": "transform", "output": "{% 2 * $item %}"}],
    }  # fmt: skip
    needs = {"a": [], "b": [], "c": ["a"], "d": ["a", "b"], "e": ["b"], "f": ["c", "d"], "g": ["d", "e"]}
    crossing = [
        {"id": task, "type": "transform", "output": task, "needs": found} for task, found in needs.items()
    ]
    undone = {"id": "undo", "type": "event", "event": "undone"}
    undoing = [
        {**_MADE, "compensate": undone},
        {"id": "bad", "output": "{% $error('no') %}", "needs": ["made"]},
    ]
    return [
        Shape("subworkflow", "workflows", _workflow("subworkflow", within), (("workflows", inner),)),
        Shape("chunks", "workflows", _workflow("chunks", each)),
        Shape("joins", "workflows", _workflow("joins", *crossing)),
        Shape("undoing", "workflows", _workflow("undoing", *undoing)),
    ]


MODEL_AGENT: Final[Document] = {
    "id": "kills-model", "name": "model", "version": "1.0.0", "model": "fast", "prompt": "Go.",
    "tools": [{"tool": "calculate"}],
    "rehearsal": {"turns": [{"say": "I reckon.", "call": [_CALCULATE, _CALCULATE]}, _ANSWER]},
}  # fmt: skip
"""Two turns with tools by a model; the provider on loopback plays its rehearsal."""


def _library(name: str) -> Document:
    found: Document = yaml.safe_load((BENCH / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def _agent(name: str, calls: list[Document], tools: list[Document]) -> Document:
    turns = [{"call": calls}, _ANSWER]
    return {
        "id": f"kills-{name}", "name": name, "version": "1.0.0", "model": "fast", "prompt": "Go.", "tools": tools,
        "rehearsal": {"turns": turns},
    }  # fmt: skip


def _workflow(name: str, *tasks: Document, **more: Any) -> Document:
    return {"id": f"kills-{name}", "name": name, "version": "1.0.0", "tasks": list(tasks), **more}


def _sum(tool: str) -> Document:
    return {"tool": tool, "arguments": {"expression": "6 * 7"}}


def _runs(workflow: Document) -> Document:
    return {"tool": "workflow", "name": "flow", "config": {"workflow": workflow["id"]}}
