"""Shorten the conversation that a model is shown, with a summary if the agent wants one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from stepward.agents.call_limits import CallLimits
from stepward.agents.context import left_out_of, listed_results, text_for, window_tokens
from stepward.agents.endings import NAMED_STOPS
from stepward.agents.journal_writer import RunWriter
from stepward.agents.machine_messages import AdvanceAnswer
from stepward.agents.model_turn import ModelTurn, wait_s
from stepward.agents.summaries import DEFAULT_WINDOW_TOKENS, summary_request
from stepward.domain.conversation import Condensation, ModelReply, ModelRequest, ToolResult
from stepward.domain.errors import (
    BudgetExceeded,
    ModelFault,
    OutputEmpty,
    ProviderFault,
    ProviderUnavailable,
    StepwardError,
    StreamCut,
)
from stepward.domain.journal import Claimed, Condensed, End, Intent, Waiting
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError
from stepward.ports.clock import iso
from stepward.tools.base import ToolContext
from stepward.tools.large_results import CUT_FROM_BYTES, is_reference, size_bytes

MOST_TRIES: Final = 3
"""How often a model is asked for one summary; after that the run continues without it."""


@dataclass(frozen=True)
class Condensing:
    """One decision to shorten a conversation; `context` reaches the run's large results."""

    writer: RunWriter
    call_limits: CallLimits
    context: ToolContext
    said: Condensation
    summariser: CallLimits | None = None

    @property
    def state(self) -> RunState:
        """The run as its journal has it."""
        return self.writer.state

    def begin(self, limit_usd_micros: int, covered: Callable[[Intent], Intent | End]) -> None:
        """Reserve for the summary, or write the decision without one.

        Args:
            limit_usd_micros: What the run may cost.
            covered: Draws what a reservation needs, or says that there is too little.
        """
        summariser = self.summariser
        if summariser is None or not self.untold:
            self.writer.append(self.record(self.said))
            return
        if self.state.summary_tries >= MOST_TRIES:
            self.write_without(ProviderUnavailable(f"{MOST_TRIES} calls have brought no summary."))
            return
        request = self.request(summariser)
        reserve = summariser.reserve_usd_micros(summariser.backend.estimate_input_tokens(request))
        ledger = self.state.ledger
        intent = Intent(turn=self.state.turns + 1, reserve_usd_micros=reserve, summarises=True)
        is_within = ledger.spent_usd_micros + ledger.children_usd_micros + reserve <= limit_usd_micros
        if not is_within or isinstance(covered(intent), End):
            self.write_without(BudgetExceeded("there is too little left for a summary."))
            return
        self.writer.append(self.writer.make(Claimed, intent=intent))

    @property
    def untold(self) -> list[tuple[int, Any]]:
        """List the turns that are left out from now on and that no summary covers."""
        left_out = left_out_of(self.state.history, self.said)
        return [(turn, one) for turn, one in left_out if turn > self.said.summarised_through]

    def request(self, summariser: CallLimits) -> ModelRequest:
        """Build the model request for the summary."""
        window = window_tokens(summariser.agent, summariser.agreed) or DEFAULT_WINDOW_TOKENS
        measure = summariser.backend.estimate_input_tokens
        return summary_request(summariser.agent.model, self.state, self.untold, window, measure)

    def write_without(self, error: StepwardError) -> None:
        """Write the decision without the summary that was wanted, and why."""
        self.writer.append(self.record(self.said, error=_named(error)))

    def record(self, said: Condensation, **fields: Any) -> Condensed:
        """Store what can be read by reference from now on, and make the record.

        time →   keep ✓ ─ ✗ dies            the same again: kept twice is kept once
                 keep ✓ ─ condensed ✓       the next prompt names only what is there
        """
        self._keep_aside()
        about = {"turn": self.state.turns + 1, "agent": self.call_limits.agent.id, "condensation": said}
        return self.writer.make(Condensed, **about, **fields)

    def with_summary(self, summary: str) -> Condensation:
        """Replace all that is left out by a summary."""
        told = {"summary": summary, "summarised_through": self.said.through}
        said = self.said.model_copy(update=told)
        return said.model_copy(update={"text": text_for(left_out_of(self.state.history, said), said)})

    def _keep_aside(self) -> None:
        store = self.context.results
        if store is None or self.said.kept_in is None:
            return
        for result in _newly_cut(self.state, self.said):
            body = json.dumps(result.content, ensure_ascii=False).encode()
            store.keep(self.context.tenant, self.said.kept_in, result.call, body)


@dataclass(frozen=True)
class Summarising(ModelTurn):
    """The summarising model call; without a summary the run continues all the same."""

    condensing: Condensing

    def take(self) -> AdvanceAnswer | None:
        """Make the call and write the decision; None when the run continues at once."""
        try:
            reply = self.call_limits.backend.reply(
                self.condensing.request(self.call_limits), self._call(":summary")
            )
        except StreamCut as error:
            self._book_what_came(error)
            return self._without_summary(error)
        except (ProviderFault, ModelFault) as error:
            return self._without_summary(error)
        fault = _fault_of(reply)
        said = self.condensing.said if fault else self.condensing.with_summary(reply.text.strip())
        bill = self._turn(reply, late=True)
        record = self.condensing.record(
            said, model=bill.model, usage=reply.usage, cost_usd_micros=bill.cost_usd_micros, error=fault
        )
        self._append_paid(record, bill)
        return None

    def _without_summary(self, error: StepwardError) -> AdvanceAnswer | None:
        """Retry a little later where that may help, else continue without a summary."""
        seconds = wait_s(error)
        until = self.clock.now() + timedelta(seconds=seconds)
        is_last = self.state.summary_tries >= MOST_TRIES or until >= self.state.deadline
        if is_last or not error.retryable:
            self.condensing.write_without(error)
            return None
        said = {"reason": error.code, "detail": error.detail[:300]}
        self.writer.append(self.writer.make(Waiting, until=iso(until), **said))
        return self.answer("wait", seconds=seconds)


def _fault_of(reply: ModelReply) -> RunError | None:
    """Return why a reply is no summary: a truncated one may leave out what matters."""
    if reply.stop in NAMED_STOPS:
        kind, detail = NAMED_STOPS[reply.stop]
        return _named(kind(detail))
    if reply.stop != "end" or reply.is_empty:
        return _named(OutputEmpty("the model has written no summary."))
    return None


def _named(error: StepwardError) -> RunError:
    return RunError(code=error.code, detail=error.detail)


def _newly_cut(state: RunState, said: Condensation) -> Iterator[ToolResult]:
    """List the results that were shown whole, and are to be read by reference from now on."""
    before = state.condensation or Condensation()
    listed = {result.call for result in listed_results(left_out_of(state.history, said), said)}
    for turn, exchange in enumerate(state.history, start=1):
        was_cut = turn <= before.shortened_through and turn not in before.kept
        was_cut = was_cut and before.kept_in == said.kept_in
        for result in exchange.results:
            is_named = result.call in listed or not said.leaves_out(turn)
            is_cut = turn <= said.shortened_through and turn not in said.kept
            is_whole = not is_reference(result.content) and size_bytes(result.content) > CUT_FROM_BYTES
            if is_cut and is_named and is_whole and not was_cut:
                yield result
