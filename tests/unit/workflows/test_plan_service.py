"""Plans are answered in the form that is asked for, with what is registered priced, and refuse what registering would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.agents.estimate import Estimated, Figures
from stepward.domain.agent_records import AgentRecord, AgentSummary, RegisteredAgent
from stepward.domain.agents import AgentDefinition
from stepward.domain.documents.problems import Refused
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.lifecycle import AgentState
from stepward.domain.run_origins import Caller
from stepward.workflows.services.plan_service import FORMS, PlanService, RegisteredCosts, kept_version
from stepward.workflows.services.register import RegisterWorkflow
from tests.support.builders import an_agent

AT = "2026-11-21T00:00:00Z"
CALLER = Caller(tenant="acme", principal="ann")


def figures(model: int, aws: int) -> Figures:
    return Figures(model_usd_micros=model, aws_usd_micros=aws, turns=1, input_tokens=1, output_tokens=1)


def an_estimated(tenant: str, agent: AgentDefinition, given: object) -> Estimated:
    assert (tenant, given) == ("acme", {})
    return Estimated(
        agent=agent.id,
        version=agent.version,
        model="m",
        least=figures(10, 1),
        expected=figures(20, 2),
        most=figures(900, 9),
        based_on_runs=1,
        cost_limit_usd_micros=500,
        budget_remaining_usd_micros=None,
        would_be_refused=False,
        rehearsed=True,
        charged=False,
        notes=[],
    )


class Desk:
    """What the room has at hand."""

    def __init__(self) -> None:
        self.workflows, agents = MemoryWorkflowRegistry(), MemoryRegistry()
        shown = {"id": "helper", "name": "Helper", "model": "balanced", "description": "", "created_at": AT}
        summary = AgentSummary(**shown, uid="AGENT-20260101-000000-0001-A1B2", state=AgentState.VALIDATED)
        record = agents.create("acme", AgentRecord(summary=summary))
        agents.keep("acme", record, RegisteredAgent(definition=an_agent(), created_at=AT))
        self.register = RegisterWorkflow(self.workflows, agents, StillClock(), lambda *_: None)
        self.costs = RegisteredCosts(
            "acme", agents, an_estimated, lambda *asked: kept_version(self.workflows, "acme", *asked)
        )
        self.foretell = PlanService(self.workflows, self.register, lambda tenant: self.costs)

    def keep(self, **more: Any) -> None:
        self.register(CALLER, a_document(**more), "auto")


def a_document(**more: Any) -> dict[str, Any]:
    tasks = [{"id": "a", "agent": "helper"}]
    return {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": tasks, **more}


def test_a_document_is_planned_without_being_kept() -> None:
    desk = Desk()
    found = desk.foretell.of_document("acme", a_document(), "auto", None).values
    assert found is not None
    assert found["plan"]["states"] == {"least": 2, "expected": 2, "most": 2}
    assert [proof["holds"] for proof in found["proofs"]] == [True] * 4
    assert found["table"]["tasks"][1][0] == "a *"
    assert desk.workflows.version("acme", "flow") is None


def test_agents_are_priced_by_their_estimate_within_their_limit() -> None:
    found = Desk().foretell.of_document("acme", a_document(), "auto", "json").values
    assert found is not None
    assert found["plan"]["children"] == {
        "least_usd_micros": 11,
        "expected_usd_micros": 22,
        "most_usd_micros": 509,
    }


def test_a_workflow_that_is_run_is_priced_by_its_own_plan() -> None:
    desk = Desk()
    desk.keep()
    inner = desk.foretell.of_version("acme", "flow", None, None).values
    outer = desk.foretell.of_document(
        "acme", a_document(id="outer", tasks=[{"id": "s", "workflow": "flow"}]), "auto", None
    ).values
    assert inner is not None
    assert outer is not None
    assert outer["plan"]["children"] == inner["plan"]["cost"]


def test_what_is_not_registered_is_unknown_and_what_runs_in_a_circle_costs_nothing() -> None:
    costs = Desk().costs
    assert costs.of_agent("nobody", None, 70).most_usd_micros == 70
    assert costs.of_workflow("nothing", None).most_usd_micros is None
    within = RegisteredCosts("acme", costs.agents, an_estimated, costs.read, above=("flow",))
    assert within.of_workflow("flow", None).most_usd_micros == 0


@pytest.mark.parametrize("form", FORMS[1:])
def test_every_form_is_a_text_with_its_type(form: str) -> None:
    desk = Desk()
    desk.keep()
    found = desk.foretell.of_version("acme", "flow", "1.0.0", form)
    begins = {"mermaid": "---\n", "svg": "<svg ", "asl": "{\n"}[form]
    assert found.text.startswith(begins)
    assert found.media_type == {"svg": "image/svg+xml", "asl": "application/json"}.get(
        form, "text/plain; charset=utf-8"
    )
    assert form != "asl" or "settle run" in json.loads(found.text)["States"]


def test_an_unknown_form_and_a_missing_version_are_told() -> None:
    desk = Desk()
    with pytest.raises(InvalidRequest, match="no form 'pdf'"):
        desk.foretell.of_version("acme", "flow", None, "pdf")
    with pytest.raises(NotFound):
        desk.foretell.of_version("acme", "flow", None, None)
    with pytest.raises(InvalidRequest) as missing:
        desk.foretell.between("acme", "flow", None, None)
    assert missing.value.field == "from"


def test_versions_and_documents_are_compared() -> None:
    desk = Desk()
    desk.keep()
    changed = {"version": "1.1.0", "tasks": [{"id": "a", "agent": "helper"}, {"id": "e", "event": "done"}]}
    told = desk.foretell.with_document("acme", "flow", a_document(**changed), "auto")
    desk.keep(**changed)
    found = desk.foretell.between("acme", "flow", "1.0.0", None)
    assert (found.before, found.after, found.tasks_added) == ("1.0.0", "1.1.0", ("e",))
    assert found == told
    assert found.permissions.added.events == ("done",)


def test_a_policy_that_is_not_kept_refuses_plan_and_registration() -> None:
    desk = Desk()
    leaks = a_document(
        policy={"redact_pii": True},
        tasks=[{"id": "a", "output": 1, "data": "pii"}, {"id": "e", "event": "told", "needs": ["a"]}],
    )
    for refused in (
        lambda: desk.foretell.of_document("acme", leaks, "auto", None),
        lambda: desk.register(CALLER, leaks, "auto"),
    ):
        with pytest.raises(Refused) as told:
            refused()
        assert [(one.code, one.task) for one in told.value.problems] == [("pii-redacted", "e")]
    assert desk.workflows.version("acme", "flow") is None
