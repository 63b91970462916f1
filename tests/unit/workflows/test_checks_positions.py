"""What only the registry knows is wrong stands at its place in the text too."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.domain.documents.problems import Problem, Refused
from stepward.workflows.services.register import RegisterWorkflow
from tests.support.workflow_texts import HEAD


def refused(source: str | dict[str, Any]) -> list[Problem]:
    register = RegisterWorkflow(MemoryWorkflowRegistry(), MemoryRegistry(), StillClock(), lambda *_: None)
    with pytest.raises(Refused) as caught:
        register.compiled("acme", source, "auto")
    return caught.value.problems


def places(text: str) -> list[tuple[str, str | None, int | None, int | None]]:
    return [(one.code, one.task, one.line, one.column) for one in refused(HEAD + dedent(text))]


def test_unknown_agents_and_forbidden_addresses_are_told_where_they_are_named() -> None:
    text = """\
    tasks:
      - id: each
        foreach: [1]
        do:
          - id: ask
            agent_id: nobody
      - id: fetch
        tool: http_request
        config: {method: GET, url: "https://far.example/"}
        compensate:
          tool: http_request
          config: {method: GET, url: "https://near.example/"}
    """
    assert places(text) == [
        ("unknown-agent", "each.ask", 9, 9),
        ("not-allowed", "fetch", 12, 27),
        ("not-allowed", "fetch.compensate", 15, 29),
    ]


def test_a_policy_that_is_not_kept_is_told_at_the_task_that_breaks_it() -> None:
    text = """\
    policy: {redact_pii: true}
    tasks:
      - {id: a, output: 1, data: pii}
      - {id: e, event: told, needs: a}
    """
    assert places(text) == [("pii-redacted", "e", 7, 5)]


def test_values_have_no_places() -> None:
    tasks = [{"id": "a", "agent": "nobody"}]
    (problem,) = refused({"id": "demo", "name": "Demo", "version": "1.0.0", "tasks": tasks})
    assert (problem.code, problem.line, problem.column) == ("unknown-agent", None, None)
