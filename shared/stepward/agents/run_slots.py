"""The run's slot: taken before anything is done, released before anything is waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.approvals import close_those_of
from stepward.agents.call_limits import out_of_budget
from stepward.agents.journal_writer import RunWriter
from stepward.agents.machine_messages import AdvanceAnswer
from stepward.agents.run_ports import RunPorts
from stepward.agents.tool_calls import NO_ANSWER, TurnCalls
from stepward.domain.conversation import ToolCall
from stepward.domain.durations import A_YEAR_S
from stepward.domain.journal import End, Intent, Parked
from stepward.domain.money import dollars
from stepward.domain.run_queue import RESUME, queue_position
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey
from stepward.ports.clock import iso
from stepward.ports.run_machine import RESUME_CALL, SLOT_CALL

TOP_UP_USD_MICROS: Final = 100_000


@dataclass(frozen=True)
class RunSlot:
    """One invocation's handling of slot, queue and money; `answer` makes the next step."""

    writer: RunWriter
    ports: RunPorts
    answer: Callable[..., AdvanceAnswer]

    @property
    def state(self) -> RunState:
        """The run as its journal has it."""
        return self.writer.state

    def regain(self, cost_limit_usd_micros: int) -> AdvanceAnswer | None:
        """Take a slot for a run that has none, or wait for one; a paused run waits to be resumed."""
        if self.state.position is None:
            if self.state.paused:
                return self._wait_for(RESUME_CALL)
            if self.writer.admit(cost_limit_usd_micros):
                return None
            now = iso(self.ports.clock.now())
            self.writer.queue(queue_position(RESUME, now, self.writer.key.run))
        return self._wait_for(SLOT_CALL)

    def pause(self) -> AdvanceAnswer:
        """Pause until the run is resumed."""
        self._park((RESUME_CALL,), "pause")
        return self._wait_for(RESUME_CALL)

    def asked(self, calls: TurnCalls) -> list[ToolCall]:
        """List the calls that the run has parked for and that have no answer.

        What an approval has released since then gets a wait of its own.
        """
        parked = self.state.parked.calls if self.state.parked else ()
        return [call for call in calls.awaited() if call.id in parked]

    def await_answers(self, calls: TurnCalls) -> AdvanceAnswer:
        """Wait for the answers to a turn's calls."""
        awaited = calls.awaited()
        self._park(tuple(call.id for call in awaited), "answers")
        return self.wait_on(calls, awaited)

    def wait_on(self, calls: TurnCalls, asked: Sequence[ToolCall]) -> AdvanceAnswer:
        """Wait for answers, having parked for them.

        The wait is named by the sequence number of `parked`, for a turn may have two.

        time →   advance: parked ✓ ─ its machine waits        the same again: parked, no answer → the same waits, no slot
                 a slot that it took would be held while the runs that are to answer may be queued for one
        """
        waits = [{"call": call.id, "seconds": calls.bound_timeout_s(call)} for call in asked]
        carrier, seq = self.state.agent, self.state.parked_seq
        return self.answer("waits", seq=seq, agent=carrier.agent, version=carrier.version, waits=waits)

    def end_wait(self, calls: TurnCalls, failures: dict[str, str]) -> None:
        """Record that open calls got no answer, and close their approvals.

        time →   advance: no answer ✓ ─ ✗ dies        the same again: finds `no answer` ─ closes what people are asked
                 another one meanwhile: next turn ✓ ─ asks again: that is none of this wait's questions, and
                 stays
        """
        self.close_unanswered(calls, self.asked(calls), failures)
        parked = self.state.parked.calls if self.state.parked else ()
        results = [item.result for call in parked if (item := self.state.calls.get(call))]
        if any(result and result.error == NO_ANSWER for result in results):
            now = iso(self.ports.clock.now())
            close_those_of(self.ports.approvals, self.writer.key, self.state, now, parked)

    def close_unanswered(
        self, calls: TurnCalls, open_calls: Sequence[ToolCall], failures: dict[str, str]
    ) -> None:
        """Record that calls got no answer; an answer that came first stays."""
        for call in open_calls:
            result = calls.no_result(call, failures.get(call.id, "no result"))
            self.ports.journal.put_result(self.writer.key, result)
        if open_calls:
            self.writer.refresh_calls()

    def covered(self, state: RunState, intent: Intent, limit_usd_micros: int) -> Intent | End:
        """Draw more where the allowance is too small for a call; empty budgets end the run.

        Within a workflow with a limit a run draws what the call needs and no more: others beside it draw from
        the same.
        """
        short, beside = intent.reserve_usd_micros - state.ledger.left_usd_micros, state.run_budgets
        if short <= 0 or not (state.ledger.draws or beside):
            return intent
        tenant, agent = self.writer.key.tenant, state.start.agent
        ahead = min(TOP_UP_USD_MICROS, limit_usd_micros - state.ledger.spent_usd_micros)
        wanted = short if beside else max(short, ahead)
        for amount in dict.fromkeys((wanted, short)):
            draw = self.ports.draw(tenant, agent, amount, beside, charged=state.start.charged)
            if draw is None or self.writer.top_up(draw):
                return intent
        return out_of_budget(
            f"the next call could cost {dollars(intent.reserve_usd_micros)}; the run's budgets have too little left."
        )

    def is_orphaned(self) -> bool:
        """Check, before a child continues, whether its parent has stopped waiting for it.

        time →   dispatch: starts the child                    cancel: parent's head closed ─ its children cancelled
                 child started after that: its first advance sees the parent's head, which is closed
                 parent: waits no longer, which is the call's result ─ a child that was not reached sees that
        """
        parent = self.state.start.parent
        if parent is None:
            return False
        if parent.task:
            return not self.ports.tasks.waits(self.writer.key.tenant, parent.run, parent.task)
        above = RunKey(tenant=self.writer.key.tenant, run=parent.run)
        asked = self.ports.journal.call(above, parent.call)
        if asked is not None and asked.result is not None:
            return True
        head = self.ports.runtime.head(above)
        return head is None or head.ended

    def _park(self, calls: tuple[str, ...], reason: str) -> None:
        fields: dict[str, Any] = {"calls": calls, "reason": reason}
        self.writer.park(self.writer.make(Parked, **fields))

    def _wait_for(self, call: str) -> AdvanceAnswer:
        carrier, wait = self.state.agent, {"call": call, "seconds": A_YEAR_S}
        return self.answer("waits", seq=0, agent=carrier.agent, version=carrier.version, waits=[wait])
