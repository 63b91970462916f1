"""What a run has spent and drawn: sums that must balance to the micro-dollar."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepward.domain.conversation import CacheHit, ToolResult
from stepward.domain.journal import Condensed, Intent, Turn
from stepward.domain.money import Usage
from stepward.domain.run_queue import Allowance
from stepward.domain.runs import Totals

Payee = tuple[str, str]
"""An agent and the model that it asked; empty texts in journals that do not say."""


@dataclass
class Ledger:
    """A run's money.

    `lost` holds, by writer, the reservations of model calls of which no reply came: they count as spent until that
    writer books the real cost. `draws` are what the run has drawn from budgets and not given back.
    """

    totals: Totals = field(default_factory=Totals)
    by_payee: dict[Payee, Totals] = field(default_factory=dict)
    intent: Intent | None = None
    lost: dict[str, int] = field(default_factory=dict)
    children_usd_micros: int = 0
    children_aws_usd_micros: int = 0
    draws: tuple[Allowance, ...] = ()
    settled_usd_micros: int = 0
    last_budgets: tuple[str, ...] = ()

    @property
    def spent_usd_micros(self) -> int:
        """What the run has cost, with reservations of lost and open calls counted as spent."""
        open_reserve = self.intent.reserve_usd_micros if self.intent else 0
        return self.totals.cost_usd_micros + sum(self.lost.values()) + open_reserve

    @property
    def left_usd_micros(self) -> int:
        """What is left of the run's draws; negative when a call cost more than its reservation."""
        return sum(draw.usd_micros for draw in self.draws) - (self.spent_usd_micros - self.settled_usd_micros)

    def draw(self, allowance: Allowance | None) -> None:
        """Add a draw; one of zero has nothing to return to its budgets and is dropped."""
        if allowance:
            self.draws = (*self.draws, allowance)
            if allowance.usd_micros or not self.last_budgets:
                self.last_budgets = allowance.budgets

    def give_back(self) -> None:
        """Forget the draws: what was spent is settled, the rest was returned."""
        self.draws, self.settled_usd_micros = (), self.spent_usd_micros

    def returns(self) -> tuple[Allowance, ...]:
        """Divide what is left over the draws, the newest first: earlier draws were spent first.

        What the draws cannot account for, such as the part of a reservation that a late bill did not need,
        goes to the budgets of the newest.
        """
        left, returns = self.left_usd_micros, []
        for draw in reversed(self.draws):
            part = min(max(left, 0), draw.usd_micros)
            left -= part
            returns.append(Allowance(usd_micros=part, budgets=draw.budgets))
        returns.append(Allowance(usd_micros=left, budgets=self.last_budgets))
        return tuple(one for one in returns if one.usd_micros and one.budgets)

    def lose_open_call(self, owner: str | None) -> None:
        """Book the open call's reservation as spent: its outcome is unknown."""
        if self.intent and owner:
            self.lost[owner] = self.lost.get(owner, 0) + self.intent.reserve_usd_micros
        self.intent = None

    def book_turn(self, turn: Turn) -> None:
        """Count a reply that was paid for."""
        self._add(
            (turn.agent or "", turn.model or ""),
            cost_usd_micros=turn.cost_usd_micros,
            **_tokens(turn.reply.usage),
            turns=0 if turn.late else 1,
            tool_calls=0 if turn.late else len(turn.reply.calls),
            **({} if turn.late else _saved(turn.reply.cache_hit)),
        )

    def book_summary(self, record: Condensed) -> None:
        """Count a summarising call; no reservation is open after it."""
        self.intent = None
        if record.model:
            payee = (record.agent, record.model)
            self._add(payee, cost_usd_micros=record.cost_usd_micros, **_tokens(record.usage))

    def book_result(self, payee: Payee, result: ToolResult) -> None:
        """Count what a tool's call cost, and separately what the run behind it has cost."""
        self.children_usd_micros += result.child_usd_micros
        self.children_aws_usd_micros += result.child_aws_usd_micros
        if result.cost_usd_micros:
            self._add(payee, cost_usd_micros=result.cost_usd_micros, tool_usd_micros=result.cost_usd_micros)

    def billed_totals(self) -> Totals:
        """Return the totals as the head shows them, with reservations of lost calls in the cost."""
        return self.totals.model_copy(update={"cost_usd_micros": self.spent_usd_micros})

    def _add(self, payee: Payee, **amounts: int) -> None:
        self.totals = self.totals.plus(**amounts)
        self.by_payee[payee] = self.by_payee.get(payee, Totals()).plus(**amounts)


def _saved(hit: CacheHit | None) -> dict[str, int]:
    if hit is None:
        return {}
    tokens = hit.usage.prompt_tokens + hit.usage.output_tokens
    return {"response_cache_hits": 1, "saved_tokens": tokens, "saved_usd_micros": hit.saved_usd_micros}


def _tokens(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
