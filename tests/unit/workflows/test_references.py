"""What a document names that is not registered is told beside all else that is wrong with it, in one answer."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.domain.documents.problems import MOST_PROBLEMS, Problem, Refused
from stepward.workflows.services.register import RegisterWorkflow
from tests.support.workflow_texts import HEAD


class Workflows(MemoryWorkflowRegistry):
    """Counts how often somebody looks for a version."""

    looks = 0

    def version(self, tenant: str, workflow: str, version: str | None = None) -> Any:
        self.looks += 1
        return super().version(tenant, workflow, version)


def refused(source: str | dict[str, Any], workflows: Workflows | None = None) -> list[Problem]:
    workflows = workflows or Workflows()
    register = RegisterWorkflow(workflows, MemoryRegistry(), StillClock(), lambda *_: None)
    with pytest.raises(Refused) as caught:
        register.compiled("acme", source, "auto")
    assert all(one.fix and one.detail for one in caught.value.problems)
    return caught.value.problems


def told(text: str) -> list[tuple[str, str | None, int | None]]:
    return [(one.code, one.task, one.line) for one in refused(HEAD + dedent(text))]


def test_tools_agents_and_workflows_are_told_in_one_answer() -> None:
    text = """\
    tasks:
      - {id: a, tool: calculat, with: {expression: "1"}}
      - {id: b, tool: shop.refund}
      - {id: c, agent_id: nobody, needs: [z]}
      - {id: d, workflow: nothing, compensate: {tool: shop.undo}}
      - {id: e, workflow: demo}
      - {id: f, tool: http_request, config: {method: GET, url: "https://far.example/"}}
      - {id: g, url: "https://far.example/", timeout_s: 9, tempo: 3}
      - {id: h, url: "https://far.example/", timeout_s: 9}
    """
    assert told(text) == [
        ("wrong-setting", "a", 5),
        ("unknown-tool", "b", 6),
        ("unknown-agent", "c", 7),
        ("missing-task", "c", 7),
        ("unknown-workflow", "d", 8),
        ("unknown-tool", "d.compensate", 8),
        ("runs-itself", "e", 9),
        ("not-allowed", "f", 10),
        ("unknown-field", "g", 11),
        ("not-allowed", "h", 12),
    ]


def test_what_does_not_fit_the_model_hides_no_name_either() -> None:
    text = """\
    retry: often
    tasks:
      - {id: "ä", agent: nobody, timeout_s: soon}
      - {id: b, type: agnt, agent: nobody}
      - {id: c, workflow: [nothing]}
      - {id: d, do: [{id: e, workflow: nothing, version: 1.2.3}], foreach: [1]}
    """
    assert {("unknown-agent", "ä", 6), ("unknown-workflow", "d.e", 9), ("unknown-type", "b", 7)} <= set(
        told(text)
    )


def test_what_cannot_be_proved_is_told_beside_the_names() -> None:
    text = """\
    policy: {redact_pii: true}
    tasks:
      - {id: a, agent: nobody, data: pii}
      - {id: e, event: told, needs: a}
    """
    assert told(text) == [("unknown-agent", "a", 6), ("pii-redacted", "e", 7)]


@pytest.mark.parametrize("config", ["x", [1], 7, True])
def test_a_configuration_that_is_none_is_a_problem_for_a_function_of_ones_own_too(config: Any) -> None:
    tasks = [{"id": "a", "tool": "shop.refund", "config": config}]
    codes = {one.code for one in refused({"id": "demo", "name": "Demo", "version": "1.0.0", "tasks": tasks})}
    assert "wrong-value" in codes


def test_a_name_is_looked_for_once_and_not_without_end() -> None:
    workflows = Workflows()
    same = [{"id": f"t{n}", "workflow": "nothing"} for n in range(20)]
    document = {"id": "demo", "name": "Demo", "version": "1.0.0"}
    assert len(refused({**document, "tasks": same}, workflows)) == 20
    assert workflows.looks == 1
    many = [{"id": f"t{n}", "workflow": f"nothing-{n}"} for n in range(3 * MOST_PROBLEMS)]
    assert len(refused({**document, "tasks": many}, workflows)) == MOST_PROBLEMS
    assert workflows.looks <= 2 * MOST_PROBLEMS
