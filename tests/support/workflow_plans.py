"""Compiled workflows for tests of what is told of them before they run."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.checks.validate import definition_from
from stepward.workflows.compiler.compile import Compiled, compile_workflow
from stepward.workflows.planner.costs import Money
from stepward.workflows.planner.plan import Plan, plan
from tests.support.task_graphs import Needs
from tests.support.workflow_texts import HEAD


def document(text: str) -> WorkflowDefinition:
    """Read a document that is given without its head."""
    return definition_from(HEAD + dedent(text))


def compiled(text: str) -> tuple[WorkflowDefinition, Compiled]:
    """Read and compile one."""
    definition = document(text)
    return definition, compile_workflow(definition)


def planned(text: str, costs: Priced | None = None) -> Plan:
    """Plan one."""
    return plan(*compiled(text), costs)


def graph(needs: Needs, **more: Any) -> WorkflowDefinition:
    """Make a workflow of a graph."""
    tasks = [
        {"id": f"t{index}", "type": "transform", "output": index, "needs": [f"t{need}" for need in found]}
        for index, found in enumerate(needs)
    ]
    head = {"id": "drawn", "name": "Drawn", "version": "1.0.0", "tasks": tasks}
    return WorkflowDefinition.model_validate({**head, **more})


class Priced:
    """Says the same of every agent and workflow, within the limit."""

    def __init__(self, least: int, expected: int, most: int) -> None:
        self.money = Money(least_usd_micros=least, expected_usd_micros=expected, most_usd_micros=most)

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """An agent's run."""
        del agent, version
        most = self.money.most_usd_micros
        if most is None or limit_usd_micros is None:
            return self.money
        return self.money.model_copy(update={"most_usd_micros": min(most, limit_usd_micros)})

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """A workflow's run."""
        return self.of_agent(workflow, version, None)
