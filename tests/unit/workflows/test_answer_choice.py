"""A workflow's agents are all rehearsed, or all answered by models: said at its start, and never a model unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stepward.agents.answering import StageAnswers
from stepward.domain.budgets import Budget, BudgetScope, TenantLimits
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import BudgetExceeded, Conflict, InvalidRequest, RehearsalMissing
from stepward.domain.money import Usage
from stepward.domain.runs import AnswerChoice, Answers, RunKey
from stepward.models import catalog
from stepward.workflows.runs.start_checks import ChooseAnswers
from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow
from stepward.workflows.services.views import workflow_run_view
from tests.support.agents_and_workflows import Joint
from tests.support.builders import an_agent_body
from tests.support.driver import ACME
from tests.support.workflow_world import Ran

ALONE = an_agent_body(id="alone", rehearsal=None)


class Paid:
    """A provider's backend."""

    longest_call_s = 10.0

    def reply(self, request: ModelRequest, call: object) -> ModelReply:
        return ModelReply(text="From the model.", usage=Usage(input_tokens=10, output_tokens=5))

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return 10


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(catalog, "gateway_for", lambda *_: Paid())
    yield


class Mixed(Joint):
    """Agents that are rehearsed and such that are not, on a stage as it comes."""

    def __init__(self, **stage: bool) -> None:
        super().__init__()
        self.agents.register(ALONE)
        self.stage(**stage)

    def stage(self, **said: bool) -> None:
        choose_answers = ChooseAnswers(self.agents.registry.read_agents, StageAnswers(**said))
        self.flows.starter = StartWorkflow(
            self.flows.ports, self.flows.registry, choose_answers=choose_answers
        )

    def keep(self, *agents: str, **said: Any) -> None:
        tasks = [{"id": f"a{n}", "type": "agent", "agent": agent} for n, agent in enumerate(agents)]
        self.flows.register(tasks, **said)

    def ask(self, key: str | None = None, **said: Any) -> RunKey:
        head, _ = self.flows.starter(ACME, "flow", {"input": {}, **said}, key)
        self.settle_down()
        return head.key

    def view(self, key: RunKey) -> dict[str, Any]:
        head = self.flows.runs.head(key)
        assert head is not None
        return workflow_run_view(head)

    def chosen(self, key: RunKey) -> tuple[bool, bool]:
        shown = self.view(key)
        return shown["rehearsed"], shown["charged"]

    @property
    def heads(self) -> set[tuple[str, bool, bool]]:
        heads = self.agents.runtime.heads.values()
        return {(head.agent, head.rehearsed, head.charged) for head in heads}


@pytest.mark.parametrize("charge", [True, False])
def test_agents_inherit_the_choice(charge: bool) -> None:
    mixed = Mixed()
    mixed.keep("helper")
    budget = Budget(scope=BudgetScope.TENANT, limit_usd_micros=1_000_000)
    mixed.agents.limits.change("acme", TenantLimits(budgets=(budget,)), 0)
    key = mixed.ask(charge=charge)
    mixed.carry(lambda found: found[0])
    assert Ran(mixed.flows, key).status == "COMPLETED"
    assert (mixed.chosen(key), mixed.heads) == ((True, charge), {("helper", True, charge)})
    assert len(mixed.agents.runtime.budgets.touched(10)) == charge


def test_a_limit_of_the_workflow_holds_for_rehearsals_that_are_not_charged() -> None:
    mixed = Mixed()
    mixed.keep("helper", cost_limit_usd="0.5")
    key = mixed.ask()
    mixed.carry(lambda found: found[0])
    assert mixed.left(key) == 500_000 - mixed.spent() < 500_000
    (state,) = mixed.agents.runtime.budgets.touched(10)
    assert state.ref.scope is BudgetScope.RUN


def test_models_answer_all_agents_where_the_start_says_so(paid: None) -> None:
    mixed = Mixed()
    mixed.keep("helper", "alone")
    key = mixed.ask(rehearse=False)
    mixed.carry(lambda found: found[0])
    assert mixed.chosen(key) == (False, True)
    assert mixed.heads == {("helper", False, True), ("alone", False, True)}
    assert Ran(mixed.flows, key).outputs["a0"] == "From the model."


@pytest.mark.parametrize("said", [{}, {"rehearse": True}])
def test_a_run_is_refused_that_could_be_rehearsed_in_parts_only(said: dict[str, Any], paid: None) -> None:
    mixed = Mixed()
    mixed.keep("helper", "alone")
    with pytest.raises(RehearsalMissing, match="'alone'") as refused:
        mixed.ask(**said)
    assert (refused.value.field, mixed.flows.runs.heads) == ("tasks.a1.agent", {})
    assert '"rehearse": false' in (refused.value.fix or "")


def test_models_answer_by_default_where_there_are_only_models(paid: None) -> None:
    mixed = Mixed()
    mixed.keep("alone", "alone")
    assert mixed.chosen(mixed.ask()) == (False, True)


def test_an_agent_that_is_not_there_yet_does_not_begin_to_cost_money(paid: None) -> None:
    mixed = Mixed()
    mixed.keep("nobody", "alone", on_error="continue")
    with pytest.raises(RehearsalMissing):
        mixed.ask()
    mixed.keep("nobody", version="1.0.1")
    key = mixed.ask()
    assert mixed.chosen(key) == (True, False)
    assert Ran(mixed.flows, key).error("a0") == "NotFound"


def test_the_stage_may_let_models_answer(paid: None) -> None:
    mixed = Mixed(rehearsals=False)
    mixed.keep("helper")
    assert mixed.chosen(mixed.ask()) == (False, True)
    assert mixed.chosen(mixed.ask(rehearse=True)) == (True, False)


def test_a_run_that_asks_no_model_is_charged_as_ever() -> None:
    mixed = Mixed()
    mixed.flows.register([{"id": "a", "type": "transform", "output": "1"}])
    assert mixed.chosen(mixed.ask()) == (False, True)


def test_what_nobody_can_ask_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = Mixed()
    mixed.keep("helper")
    monkeypatch.setattr(catalog, "UNSUPPORTED_PROVIDERS", ("anthropic",))
    with pytest.raises(InvalidRequest, match="no provider can serve") as refused:
        mixed.ask(rehearse=False)
    assert (refused.value.field, bool(refused.value.fix)) == ("model", True)


def test_workflows_below_inherit_the_choice() -> None:
    mixed = Mixed()
    mixed.keep("helper", id="inner")
    mixed.flows.register([{"id": "sub", "type": "subworkflow", "workflow": "inner"}])
    key = mixed.ask()
    mixed.carry(lambda found: found[0])
    (below,) = (found for found in mixed.flows.runs.heads if found != key)
    assert (mixed.chosen(key), mixed.chosen(below)) == ((True, False), (True, False))
    assert mixed.heads == {("helper", True, False)}


def test_a_workflow_below_that_cannot_be_rehearsed_fails_its_task_and_asks_nobody(paid: None) -> None:
    mixed = Mixed()
    mixed.keep("alone", id="inner")
    mixed.flows.register([{"id": "sub", "type": "subworkflow", "workflow": "inner"}])
    ran = Ran(mixed.flows, mixed.ask())
    assert (ran.status, ran.error("sub"), mixed.heads) == ("FAILED", "RehearsalMissing", set())


def test_an_agent_that_lost_its_rehearsal_fails_its_task_and_asks_nobody(paid: None) -> None:
    mixed = Mixed()
    mixed.flows.register(
        [
            {"id": "wait", "type": "wait", "seconds": 20},
            {"id": "a", "type": "agent", "agent": "helper", "needs": ["wait"]},
        ]
    )
    head, _ = mixed.flows.starter(ACME, "flow", {"input": {}}, None)
    mixed.agents.register(an_agent_body(version="2.0.0", rehearsal=None))
    ran = mixed.flows.finish(head.key)
    assert (ran.status, ran.error("a"), mixed.heads) == ("FAILED", "RehearsalMissing", set())


def failed(mixed: Mixed, **said: Any) -> RunKey:
    tasks = [
        {"id": "a", "type": "agent", "agent": "helper"},
        {"id": "b", "type": "transform", "needs": ["a"]},
    ]
    mixed.flows.register([*tasks[:1], {**tasks[1], "output": "{% $error('no') %}"}])
    key = mixed.ask(**said)
    mixed.carry(lambda found: found[0])
    assert Ran(mixed.flows, key).status == "FAILED"
    return key


def again(mixed: Mixed, key: RunKey, body: Any = None, idempotency: str | None = None) -> RunKey:
    case = RerunWorkflow(mixed.flows.ports, mixed.flows.starter, mixed.flows.registry)
    return case(ACME, key.run, idempotency, body).key


def test_a_rerun_keeps_the_choice_unless_it_says_otherwise(paid: None) -> None:
    mixed = Mixed()
    key = failed(mixed, charge=True)
    mixed.stage(rehearsals=False)
    assert mixed.chosen(again(mixed, key)) == (True, True)
    assert mixed.chosen(again(mixed, key, {"charge": False})) == (True, False)
    assert mixed.chosen(again(mixed, key, {"rehearse": False})) == (False, True)
    for wrong, field in (({"rehearse": 1}, "rehearse"), ({"input": 1}, "input")):
        with pytest.raises(InvalidRequest) as refused:
            again(mixed, key, wrong)
        assert refused.value.field == field


def test_one_key_means_one_choice(paid: None) -> None:
    mixed = Mixed()
    key = failed(mixed)
    first = again(mixed, key, None, "k-1")
    assert again(mixed, key, {}, "k-1") == first
    with pytest.raises(Conflict):
        again(mixed, key, {"rehearse": False}, "k-1")
    begun = mixed.ask("k-2")
    assert mixed.ask("k-2") == begun
    with pytest.raises(Conflict):
        mixed.ask("k-2", rehearse=True)


def test_a_used_up_budget_refuses_only_what_is_charged() -> None:
    def used_up(_: str) -> None:
        raise BudgetExceeded("it is used up.")

    mixed = Mixed()
    mixed.keep("helper")
    mixed.flows.starter = StartWorkflow(
        mixed.flows.ports, mixed.flows.registry, used_up, choose_answers=mixed.flows.starter.choose_answers
    )
    assert mixed.ask()
    with pytest.raises(BudgetExceeded):
        mixed.ask(charge=True)


def test_agents_in_bodies_and_undoings_are_seen() -> None:
    mixed = Mixed()
    undo = {"id": "undo", "type": "agent", "agent": "alone"}
    mixed.flows.register(
        [
            {
                "id": "each",
                "type": "foreach",
                "items": "{% [1] %}",
                "tasks": [{"id": "in", "type": "agent", "agent": "helper", "compensate": undo}],
            }
        ]
    )
    definition = mixed.flows.registry.version("acme", "flow", None).definition  # type: ignore[union-attr]
    with pytest.raises(RehearsalMissing) as refused:
        mixed.flows.starter.choose_answers("acme", definition, AnswerChoice())
    assert refused.value.field == "tasks.each.in.compensate.undo.agent"
    kept = Answers(rehearsed=True, charged=False)
    with pytest.raises(RehearsalMissing):
        mixed.flows.starter.choose_answers("acme", definition, AnswerChoice(), kept)
