"""What a run is said to cost before it starts, and that it then costs no more than the most."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from stepward.adapters.memory.costs import MemoryBudgets, MemoryLimitsConfig, MemoryPrices
from stepward.adapters.memory.small_ports import StillClock
from stepward.agents.estimate import Estimate
from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import Attachment
from stepward.domain.aws_prices import AwsCost
from stepward.domain.budgets import Budget, BudgetScope
from stepward.domain.errors import BudgetExceeded, InvalidRequest, RehearsalMissing
from stepward.domain.journal import Claimed
from stepward.domain.money import Price
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.runs import Answers, RunHead, RunStatus, Totals
from tests.support.builders import a_head, an_agent, an_agent_body
from tests.support.driver import World

TOOLS = [{"tool": "calculate"}]
CHARGED = Answers(rehearsed=True, charged=True)
UNCHARGED = Answers(rehearsed=True, charged=False)


class _Past:
    def __init__(self, *heads: RunHead) -> None:
        self.heads = list(heads)

    def list_runs(self, tenant: str, wanted: RunFilter, *, limit: int) -> RunSlice[RunHead]:
        assert (tenant, wanted) == ("acme", RunFilter(name="helper"))
        return RunSlice.cut(self.heads, limit)


def an_estimate(*past: RunHead, limits: MemoryLimitsConfig | None = None, **ports: Any) -> Estimate:
    budgets, prices = ports.get("budgets", MemoryBudgets()), ports.get("prices", MemoryPrices())
    return Estimate(_Past(*past), limits or MemoryLimitsConfig(), budgets, prices, StillClock())


def a_past_run(run: int, cost_usd_micros: int, **changed: Any) -> RunHead:
    totals = Totals(turns=2, input_tokens=100, output_tokens=20, cost_usd_micros=cost_usd_micros)
    aws = AwsCost(counts={}, usd_micros=90)
    return a_head(run, **{"status": RunStatus.COMPLETED, "totals": totals, "aws": aws, **changed})


def test_least_is_one_turn_and_most_is_all_of_them() -> None:
    found = an_estimate()("acme", an_agent(tools=TOOLS, limits={"max_iterations": 4}), "hello", CHARGED)
    assert (found.least.turns, found.least.output_tokens) == (1, 1)
    assert (found.most.turns, found.most.output_tokens) == (4, 4 * 1024)
    assert found.least.model_usd_micros < found.most.model_usd_micros
    assert found.least.aws_usd_micros < found.most.aws_usd_micros
    assert found.most.input_tokens == 4 * found.least.input_tokens + (1 + 2 + 3) * (1024 + 2_000)
    assert found.expected is None
    assert any("no completed run" in note for note in found.notes)


def test_an_estimate_is_without_the_response_cache_and_says_so() -> None:
    agent = an_agent(response_cache={"ttl_s": 60})
    by_model = Answers(rehearsed=False, charged=True)
    notes = an_estimate()("acme", agent, "hello", by_model).notes
    assert any("without the response cache" in note for note in notes)
    for plain, answers in ((agent, CHARGED), (an_agent(), by_model)):
        notes = an_estimate()("acme", plain, "hello", answers).notes
        assert not any("response cache" in note for note in notes)


def test_an_agent_without_tools_takes_one_turn() -> None:
    found = an_estimate()("acme", an_agent(limits={"max_iterations": 9}), "hello", CHARGED)
    assert found.most.turns == 1


def test_expected_is_the_mean_of_completed_runs() -> None:
    failed = a_past_run(4, 10**6, status=RunStatus.FAILED)
    found = an_estimate(a_past_run(3, 300), failed, a_past_run(2, 100))("acme", an_agent(), "hello", CHARGED)
    assert found.expected
    assert (found.expected.model_usd_micros, found.expected.aws_usd_micros, found.based_on_runs) == (
        200,
        90,
        2,
    )
    assert any("rehearsed" in note for note in found.notes)


def test_no_more_than_fifty_runs_are_looked_at() -> None:
    found = an_estimate(*(a_past_run(n, 7) for n in range(99, 0, -1)))("acme", an_agent(), "hello", CHARGED)
    assert found.based_on_runs == 50


def test_agreed_prices_are_used() -> None:
    prices = MemoryPrices()
    free = Price(input_usd_per_mtok=0, output_usd_per_mtok=0, source="a gift", as_of="2026-11-01")
    prices.change("acme", {"claude-sonnet-5-5": free}, 0)
    assert an_estimate(prices=prices)("acme", an_agent(), "hello", CHARGED).most.model_usd_micros == 0


def test_only_an_agent_that_asks_is_refused() -> None:
    limits = {"cost_limit_usd": "0.0001"}
    assert an_estimate()("acme", an_agent(limits=limits), "hello", CHARGED).would_be_refused
    an_estimate().check("acme", an_agent(limits=limits), "hello", CHARGED)
    with pytest.raises(BudgetExceeded, match=r"\$0\.0001") as refused:
        an_estimate().check("acme", an_agent(limits={**limits, "refuse_over_budget": True}), "hello", CHARGED)
    assert refused.value.fix


def test_what_a_budget_has_left_counts() -> None:
    asking = an_agent(limits={"refuse_over_budget": True})
    config, budgets = MemoryLimitsConfig(), MemoryBudgets()
    day = Budget(scope=BudgetScope.DAY, limit_usd_micros=100_000)
    config.change("acme", config.tenant("acme").with_budget(day), 0)
    estimate = an_estimate(limits=config, budgets=budgets)
    estimate.check("acme", asking, "hello", CHARGED)
    budgets.draw("acme", "day##2026-01-01", 100_000, 99_950)
    assert estimate("acme", asking, "hello", CHARGED).budget_remaining_usd_micros == 50
    with pytest.raises(BudgetExceeded, match=r"have \$0\.00005 left"):
        estimate.check("acme", asking, "hello", CHARGED)


def test_what_is_charged_is_not_expected_by_runs_that_were_not() -> None:
    rehearsed = a_past_run(3, 900, charged=False)
    asked, paid = a_past_run(2, 100), a_past_run(1, 300, rehearsed=False, models=("claude-sonnet-5-5",))
    charged = an_estimate(rehearsed, asked, paid)("acme", an_agent(), "hello", CHARGED)
    assert charged.expected
    assert (charged.expected.model_usd_micros, charged.based_on_runs) == (200, 2)
    uncharged = an_estimate(rehearsed, asked, paid)("acme", an_agent(), "hello", UNCHARGED)
    assert (uncharged.based_on_runs, uncharged.charged, uncharged.rehearsed) == (3, False, True)


def test_no_budget_bounds_what_is_not_charged() -> None:
    config = MemoryLimitsConfig()
    day = Budget(scope=BudgetScope.DAY, limit_usd_micros=1)
    config.change("acme", config.tenant("acme").with_budget(day), 0)
    estimate, asking = an_estimate(limits=config), an_agent(limits={"refuse_over_budget": True})
    assert estimate("acme", asking, "hello", UNCHARGED).budget_remaining_usd_micros is None
    estimate.check("acme", asking, "hello", UNCHARGED)
    with pytest.raises(BudgetExceeded):
        estimate.check("acme", asking, "hello", CHARGED)


def test_what_nobody_can_answer_has_no_estimate() -> None:
    with pytest.raises(RehearsalMissing):
        an_estimate()("acme", an_agent(rehearsal=None), "hello", CHARGED)


def test_an_estimate_says_that_a_model_has_ended() -> None:
    estimate = replace(an_estimate(), clock=StillClock(datetime(2026, 11, 30, tzinfo=UTC)))
    with pytest.raises(InvalidRequest) as refused:
        estimate("acme", an_agent(model="claude-sonnet-4-5"), "hello", Answers(rehearsed=True))
    assert refused.value.field == "model"
    assert "ended on 2026-11-30" in refused.value.detail


IMAGE = Attachment(key="a.png", media_type="image/png", size_bytes=70, sha256="0" * 64)
REAL = Answers(rehearsed=False, charged=True)


def test_attachments_are_counted_as_they_are_reserved() -> None:
    estimate, agent = an_estimate(), an_agent(tools=TOOLS)
    without = estimate("acme", agent, "hello", REAL)
    found = estimate("acme", agent, "hello", REAL, (IMAGE, IMAGE))
    assert 10_000 <= found.least.input_tokens - without.least.input_tokens < 10_300
    assert found.most.model_usd_micros > without.most.model_usd_micros
    rehearsed = estimate("acme", agent, "hello", CHARGED, (IMAGE,))
    assert rehearsed.least.input_tokens < 1_000


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"cache": "1h"},
        {"fallbacks": ["claude-opus-5-5"]},
        {
            "output_schema": {
                "type": "object",
                "properties": {"n": {"type": "string", "description": "long " * 500}},
            }
        },
    ],
    ids=["plain", "kept for an hour", "a dear fall-back", "a long schema"],
)
def test_the_most_of_one_call_is_what_its_run_reserves(changed: dict[str, Any]) -> None:
    body = an_agent_body(model="claude-sonnet-5-5", **changed)
    del body["rehearsal"]
    world = World()
    world.register(body)
    key = world.start()
    world.advance(key)
    claimed = next(
        item.record for item in world.journal.load(key).records if isinstance(item.record, Claimed)
    )
    assert claimed.intent
    found = an_estimate()("acme", AgentDefinition.model_validate(body), "hello", REAL)
    assert found.most.model_usd_micros == claimed.intent.reserve_usd_micros


def test_a_start_that_attachments_make_too_dear_is_refused() -> None:
    asking = an_agent(limits={"cost_limit_usd": "0.03", "refuse_over_budget": True})
    an_estimate().check("acme", asking, "hello", REAL)
    with pytest.raises(BudgetExceeded):
        an_estimate().check("acme", asking, "hello", REAL, (IMAGE,) * 3)


def test_what_a_model_does_not_take_has_no_estimate() -> None:
    prices = MemoryPrices()
    free = Price(input_usd_per_mtok=0, output_usd_per_mtok=0, source="a gift", as_of="2026-11-01")
    prices.change("acme", {"ours/llama": free}, 0)
    with pytest.raises(InvalidRequest, match="takes no images"):
        an_estimate(prices=prices)("acme", an_agent(model="ours/llama"), "hello", REAL, (IMAGE,))
