"""Estimate a run's cost before it starts: lower bound, expectation, and upper bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import mean
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict

from stepward.agents.call_limits import CallLimits
from stepward.agents.context import window_tokens
from stepward.agents.model_checks import check_startable
from stepward.agents.run_inputs import check_given, check_taken
from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import Attachment
from stepward.domain.aws_costs import ASSUMED_TOOL_MS, AwsTally
from stepward.domain.budgets import refs_for
from stepward.domain.errors import BudgetExceeded
from stepward.domain.money import Usage, dollars
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.runs import Answers, RunHead, RunStatus
from stepward.models.base import Rate, model_id
from stepward.models.catalog import check_backend
from stepward.ports.clock import Clock
from stepward.ports.costs import AgreedPrices, Budgets, LimitsConfig

PAST_RUNS: Final = 50
PAST_RUNS_READ: Final = 100
RESULT_TOKENS: Final = 2_000
"""What a turn's tool results are assumed to add to the next prompt; a real result may be longer."""
RECORD_BYTES: Final = 1_500
ASSUMED_TURN_MS: Final = 3_000


class PastRuns(Protocol):
    """Lists runs."""

    def list_runs(self, tenant: str, wanted: RunFilter, *, limit: int) -> RunSlice[RunHead]:
        """List an agent's runs, newest first."""


class Figures(BaseModel):
    """One of the three answers."""

    model_config = ConfigDict(defer_build=True)

    model_usd_micros: int
    aws_usd_micros: int
    turns: int
    input_tokens: int
    output_tokens: int


class Estimated(BaseModel):
    """What a run would cost, and on what that rests."""

    model_config = ConfigDict(defer_build=True)

    agent: str
    version: str
    model: str
    least: Figures
    expected: Figures | None
    most: Figures
    based_on_runs: int
    cost_limit_usd_micros: int
    budget_remaining_usd_micros: int | None
    would_be_refused: bool
    rehearsed: bool
    charged: bool
    notes: list[str]


@dataclass(frozen=True)
class Estimate:
    """The use case behind `POST /agents/{agent_id}/estimate`, and behind checked starts."""

    runs: PastRuns
    limits: LimitsConfig
    budgets: Budgets
    prices: AgreedPrices
    clock: Clock

    def __call__(
        self,
        tenant: str,
        agent: AgentDefinition,
        given: Any,
        answers: Answers,
        attachments: Sequence[Attachment] = (),
    ) -> Estimated:
        """Estimate a run of a version on an input; nothing is started.

        Args:
            tenant: Whose run it would be.
            agent: The version.
            given: The input.
            answers: What would answer model calls, and whether that would be charged.
            attachments: The files that its models would be shown.

        Returns:
            What it would cost; no budget bounds a run that is not charged.

        Raises:
            InvalidRequest: The input does not fit, the model has ended, or nothing could answer.
        """
        check_startable(agent, self.clock.now().date())
        check_given(agent, given)
        check_backend(agent, rehearsed=answers.rehearsed)
        call_limits = CallLimits.of(agent, self.prices.of(tenant), rehearsed=answers.rehearsed)
        if not answers.rehearsed:
            check_taken(agent, attachments)
        first = call_limits.backend.estimate_input_tokens(call_limits.first_request(given, attachments))
        past = self._past(tenant, agent.id, answers)
        most = _most(call_limits, first, rehearsed=answers.rehearsed)
        remaining = self._remaining(tenant, agent.id) if answers.charged else None
        limit = agent.limits.cost_limit_usd_micros
        return Estimated(
            agent=agent.id,
            version=agent.version,
            model=model_id(agent.model),
            least=_least(call_limits.price, first),
            expected=_expected(past),
            most=most,
            based_on_runs=len(past),
            cost_limit_usd_micros=limit,
            budget_remaining_usd_micros=remaining,
            would_be_refused=most.model_usd_micros > min(limit, limit if remaining is None else remaining),
            rehearsed=answers.rehearsed,
            charged=answers.charged,
            notes=_notes(agent, past, answers),
        )

    def check(
        self,
        tenant: str,
        agent: AgentDefinition,
        given: Any,
        answers: Answers,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """Refuse a start whose upper bound exceeds a budget.

        Only agents with `limits.refuse_over_budget` ask for this.
        """
        if not agent.limits.refuse_over_budget:
            return
        found = self(tenant, agent, given, answers, attachments)
        if found.would_be_refused:
            left = found.budget_remaining_usd_micros
            raise BudgetExceeded(
                f"a run could cost {dollars(found.most.model_usd_micros)}; its limit is "
                f"{dollars(found.cost_limit_usd_micros)}, and budgets "
                f"{'do not bound it' if left is None else f'have {dollars(left)} left'}.",
                field="limits.refuse_over_budget",
                fix="lower max_iterations or max_output_tokens, raise the limit or the budget, or do not ask for this",
            )

    def _past(self, tenant: str, agent: str, answers: Answers) -> list[RunHead]:
        """List completed runs of the same kind.

        What uncharged runs have cost predicts nothing about charged ones.
        """
        page = self.runs.list_runs(tenant, RunFilter(name=agent), limit=PAST_RUNS_READ)
        well = [head for head in page.runs if head.status is RunStatus.COMPLETED]
        return [head for head in well if head.charged or not answers.charged][:PAST_RUNS]

    def _remaining(self, tenant: str, agent: str) -> int | None:
        """Return what the tightest budget that counts the run has left; None without a budget."""
        drawn = refs_for(self.limits.tenant(tenant).budgets, agent, self.clock.now())
        states = self.budgets.states(tenant, [ref for ref, _ in drawn])
        left = [states[ref].remaining_usd_micros if ref in states else limit for ref, limit in drawn]
        return min(left, default=None)


def _least(rate: Rate, first: int) -> Figures:
    """Return the cost of one turn that answers with one token."""
    cost = rate.cost_usd_micros(Usage(input_tokens=first, output_tokens=1))
    return Figures(
        model_usd_micros=cost, aws_usd_micros=_aws(1, 0), turns=1, input_tokens=first, output_tokens=1
    )


def _most(call_limits: CallLimits, first: int, *, rehearsed: bool) -> Figures:
    """Return the cost of all allowed turns, each at its full reservation.

    Each prompt is longer by the turn before it, up to the context window.
    """
    limits, price = call_limits.agent.limits, call_limits.price.price
    growth = limits.max_output_tokens + (RESULT_TOKENS if call_limits.tools else 0)
    turns = limits.max_iterations if call_limits.tools else 1
    window = None if rehearsed else window_tokens(call_limits.agent, call_limits.agreed)
    longest = window or price.context_tokens or first + growth * turns
    prompts = [max(first, min(first + growth * turn, longest)) for turn in range(turns)]
    summaries = _summaries_usd_micros(call_limits, first + growth * turns, window) if window else 0
    return Figures(
        model_usd_micros=sum(map(call_limits.reserve_usd_micros, prompts)) + summaries,
        aws_usd_micros=_aws(turns, turns - 1),
        turns=turns,
        input_tokens=sum(prompts),
        output_tokens=limits.max_output_tokens * turns,
    )


def _summaries_usd_micros(call_limits: CallLimits, tokens: int, window: int) -> int:
    """Price the summaries of a conversation: one each time half of the window has refilled."""
    summariser = call_limits.summariser()
    if tokens <= window or not isinstance(summariser, CallLimits):
        return 0
    return ceil((tokens - window) / (window / 2)) * summariser.reserve_usd_micros(window)


def _expected(past: list[RunHead]) -> Figures | None:
    if not past:
        return None
    totals = [head.totals for head in past]
    known = [head.aws.usd_micros for head in past if head.aws]
    turns = round(mean(one.turns for one in totals))
    return Figures(
        model_usd_micros=round(mean(one.cost_usd_micros for one in totals)),
        aws_usd_micros=round(mean(known)) if known else _aws(turns, 0),
        turns=turns,
        input_tokens=round(mean(one.input_tokens for one in totals)),
        output_tokens=round(mean(one.output_tokens for one in totals)),
    )


def _aws(turns: int, remote_turns: int) -> int:
    """Price a run of some turns, some of them with a call in another function."""
    tally = AwsTally()
    tally.start()
    tally.write(RECORD_BYTES, twice=True)
    tally.advance(ASSUMED_TURN_MS * (turns - remote_turns))
    for _ in range(turns):
        tally.write(RECORD_BYTES)
    for _ in range(remote_turns):
        tally.call_tools([RECORD_BYTES], [ASSUMED_TOOL_MS])
        tally.advance(ASSUMED_TURN_MS)
        tally.write(RECORD_BYTES)
    tally.end()
    return tally.cost().usd_micros


def _notes(agent: AgentDefinition, past: list[RunHead], answers: Answers) -> list[str]:
    notes = [
        "tokens of the first prompt are estimated from its length",
        "least: one turn with one token of answer",
        f"most: {agent.limits.max_iterations if agent.tools else 1} turns with full answers"
        + (f", each adding {RESULT_TOKENS} tokens of tool results" if agent.tools else "")
        + "; a run stops at its cost limit before that",
        "what tools and agents below this one cost is in none of the three but expected",
    ]
    if agent.response_cache and not answers.rehearsed:
        notes.append("least and most are without the response cache: what it answers costs no model money")
    if past and all(head.rehearsed for head in past):
        notes.append("all past runs were rehearsed")
    return notes if past else [*notes, "there is no completed run to expect by"]
