"""Advance a run until it must wait: the core of the agent loop.

Each step is made durable before the next one starts, so the function may die at any point and the next
invocation continues from the journal. A turn costs two appends: `turn` (the reply and its cost) and `results`
(with the reservation for the next call).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from stepward.agents.call_limits import CallLimits, cancelled, failure, may_call, must_stop
from stepward.agents.condense import Condensing, Summarising
from stepward.agents.continue_as_new import MOST_EVENTS, ContinueAsNew
from stepward.agents.journal_writer import RunWriter
from stepward.agents.machine_messages import AdvanceAnswer, AdvanceRequest, Next, failed_with
from stepward.agents.model_turn import ModelTurn
from stepward.agents.run_control import ORPHANED, EndOrphans
from stepward.agents.run_ports import RunPorts
from stepward.agents.run_slots import RunSlot
from stepward.agents.tool_calls import NO_ANSWER, TurnCalls, handed_over
from stepward.domain.conversation import Condensation
from stepward.domain.errors import StepwardError
from stepward.domain.journal import Claimed, End, HandedOver, Intent, Results, Turn
from stepward.domain.prompts import ResolvedPrompt
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunStatus
from stepward.tools.base import ToolContext

TIME_BESIDE_A_CALL_S: Final = 15
"""The longest time for the writes and inline tools around a model call."""
MOST_OF_THE_TIME: Final = 0.9
"""A function whose timeout is shorter than its model's longest call begins one only with this part of it left."""


@dataclass(frozen=True)
class Advance:
    """The use case behind `agent_advance`.

    Args:
        ports: The ports of runs.
        call_limits: Finds the limits by tenant, agent, version, and whether the run is rehearsed.
        latest: Resolves an agent's version by tenant, agent, and version or label.
        context: Makes the tool context by tenant and call.
        invocation: The id of this invocation, which signs its records.
        time_left_s: Returns how many seconds the function may still run.
        most_events: How long an execution's history may grow before a new execution takes over.
    """

    ports: RunPorts
    call_limits: Callable[[str, str, str, bool], CallLimits]
    latest: Callable[[str, str, str | None], str]
    context: Callable[[str, str], ToolContext]
    invocation: str
    time_left_s: Callable[[], float]
    most_events: int = MOST_EVENTS

    def __call__(self, request: AdvanceRequest) -> AdvanceAnswer:
        """Advance the run until it is done or must wait."""
        writer = RunWriter.open(self.ports, request.key, self.invocation)
        epochs = ContinueAsNew(writer, self.ports, request, self.most_events)
        if epochs.is_late:
            epochs.start()
        elif request.error:
            writer.end(failure(request.error, "the platform could not advance the run."))
        elif writer.state.end is not None:
            writer.finalize()
        if writer.state.end is not None or epochs.is_late:
            return AdvanceAnswer.done(request, writer.state.seq, writer.state.end)
        return _Advancing(self, request, writer, epochs).run()


@dataclass
class _Advancing:
    """One invocation at work on one run."""

    case: Advance
    request: AdvanceRequest
    writer: RunWriter
    epochs: ContinueAsNew
    slot: RunSlot = field(init=False)
    had_s: float = field(init=False)
    condensing: Condensing | None = None

    def __post_init__(self) -> None:
        self.had_s = self.case.time_left_s()
        self.slot = RunSlot(self.writer, self.case.ports, self._answer)

    @property
    def state(self) -> RunState:
        return self.writer.state

    @property
    def call_limits(self) -> CallLimits:
        """The limits of the agent that carries the run on now; another one after a hand-over."""
        return self._call_limits_of(self.state)

    def run(self) -> AdvanceAnswer:
        answer = self._ensure_slot() or self._claim()
        while answer is None:
            answer = self._step()
        return answer

    def _step(self) -> AdvanceAnswer | None:
        if self.state.paused:
            return self.slot.pause()
        if self.state.pending is not None:
            return self._answer_calls(self.state.pending)
        if self.epochs.is_full:
            self.epochs.begin_next()
            return self._answer("done")
        return self._take_turn()

    def _ensure_slot(self) -> AdvanceAnswer | None:
        """Ensure that the run holds a slot, or waits for one."""
        calls = self._calls_of(self.state.pending) if self.state.pending else None
        is_over = self.request.awaited == self.state.parked_seq
        if calls and is_over:
            EndOrphans(self.case.ports)(self.request.tenant, self.state, _TOO_LATE)
            self.slot.end_wait(calls, self.request.failures)
        if not self.state.needs_slot or self.state.slot:
            return None
        if self.state.cancelled:
            return self._end(cancelled(self.state.cancelled))
        asked = self.slot.asked(calls) if calls and self.state.position is None else []
        if calls and asked and not is_over:
            return self.slot.wait_on(calls, asked)
        return self.slot.regain(self.call_limits.cost_limit_usd_micros(self.state))

    def _claim(self) -> AdvanceAnswer | None:
        stop = must_stop(self.state, self.case.ports.clock.now())
        if stop:
            return self._end(stop)
        if self.slot.is_orphaned():
            return self._end(End(status=RunStatus.CANCELLED, error=ORPHANED))
        is_free = self.state.pending is None and not self.state.paused
        permit = self._permit(self.state) if is_free else None
        if isinstance(permit, End):
            return self._end(permit)
        self.writer.append(self.writer.make(Claimed, intent=permit if isinstance(permit, Intent) else None))
        return None

    def _take_turn(self) -> AdvanceAnswer | None:
        intent = self.state.ledger.intent
        if intent is None:
            return self._reserve()
        said: dict[str, Any] = {
            "writer": self.writer, "intent": intent, "clock": self.case.ports.clock,
            "time_left_s": self.case.time_left_s, "answer": self._answer, "end": self._end,
            "datasets": self._context("").datasets,
        }  # fmt: skip
        if intent.summarises and self.condensing and self.condensing.summariser:
            summariser = self.condensing.summariser
            return Summarising(call_limits=summariser, condensing=self.condensing, **said).take()
        return ModelTurn(call_limits=self.call_limits, **said).take()

    def _reserve(self) -> AdvanceAnswer | None:
        """Claim again with the reservation that the claim or the turn before could not make."""
        if self._is_short:
            return self._answer("again")
        permit = self._permit(self.state)
        if isinstance(permit, End):
            return self._end(permit)
        if isinstance(permit, Condensation):
            return self._condense(permit)
        self.writer.append(self.writer.make(Claimed, intent=permit))
        return None

    def _condense(self, said: Condensation) -> AdvanceAnswer | None:
        """Shorten what the model is shown from now on.

        A summary of the rest is the next step's, which has its own reservation.
        """
        call_limits = self.call_limits
        found, limit = call_limits.summariser(), call_limits.cost_limit_usd_micros(self.state)
        summariser = found if isinstance(found, CallLimits) else None
        if summariser and self._is_short_of(summariser):
            return self._answer("again")
        self.condensing = Condensing(self.writer, call_limits, self._context(""), said, summariser)
        covered = partial(self.slot.covered, self.state, limit_usd_micros=limit)
        if isinstance(found, StepwardError):
            self.condensing.write_without(found)
        else:
            self.condensing.begin(limit, covered)
        return None

    def _answer_calls(self, turn: Turn) -> AdvanceAnswer | None:
        calls = self._calls_of(turn)
        asked = self._asked_before(calls)
        if asked:
            # Since our claim no effect can begin any more: what is marked or done by now is all there will ever be.
            self.writer.refresh_calls()
            calls = self._calls_of(turn)
            asked = self._asked_before(calls)
        to_ask = [call for call in calls.next_remote() if call not in asked]
        if to_ask or calls.awaited():
            self.slot.close_unanswered(
                calls, [call for call in calls.remote() if call.id in asked], self.request.failures
            )
        if to_ask:
            return self._answer("calls", **self._named_calls(to_ask))
        if calls.awaited():
            return self.slot.await_answers(calls)
        return self._append_results(calls, turn)

    def _asked_before(self, calls: TurnCalls) -> list[str]:
        """List the remote calls that the machine has made and that will get no result any more."""
        if self.state.pending_seq != self.request.called:
            return []
        asked = self.request.asked
        return [call.id for call in calls.remote() if asked is None or call.id in asked]

    def _named_calls(self, calls: list[str]) -> dict[str, Any]:
        agent = self.state.agent
        return {"agent": agent.agent, "version": agent.version, "newest": self.state.seq, "calls": calls}

    def _calls_of(self, turn: Turn) -> TurnCalls:
        return TurnCalls(
            agent=self.call_limits.agent,
            run=self.request.run,
            calls=turn.reply.calls,
            items=self.state.calls,
            context=self._context,
        )

    def _context(self, call_id: str) -> ToolContext:
        """Return what a call may reach.

        A fork's calls also reach the large results of the runs that it was forked from.
        """
        context, fork = self.case.context(self.request.tenant, call_id), self.state.start.fork
        return replace(context, family=fork.family) if fork else context

    def _append_results(self, calls: TurnCalls, turn: Turn) -> AdvanceAnswer | None:
        """Write the results with the next call's reservation, computed as if they were in place."""
        outcomes = calls.outcomes(self.request.failures)
        outcomes, carrier = handed_over(calls, outcomes, self._carrier)
        results = self.writer.make(Results, turn=turn.turn, outcomes=outcomes, handed_over=carrier)
        permit = self._permit(self.state.with_results(results))
        short = self._is_short
        intent = permit if isinstance(permit, Intent) and not short and not self.epochs.is_full else None
        self.writer.append(results.model_copy(update={"intent": intent}))
        if isinstance(permit, End):
            return self._end(permit)
        return self._answer("again") if short else None

    @property
    def _is_short(self) -> bool:
        """Whether too little time is left to begin a model call; a new invocation has enough."""
        return self._is_short_of(self.call_limits)

    def _is_short_of(self, call_limits: CallLimits) -> bool:
        needed_s = call_limits.backend.longest_call_s + TIME_BESIDE_A_CALL_S
        return self.case.time_left_s() < min(needed_s, self.had_s * MOST_OF_THE_TIME)

    def _carrier(self, agent: str, version: str | None) -> HandedOver:
        """Return the agent that takes the run over; an earlier carrier keeps its prompt's text."""
        found = self.case.latest(self.request.tenant, agent, version)
        told = self.state.prompts.get((agent, found)) or self._filled(agent, found)
        return HandedOver(agent=agent, version=found, prompt=told)

    def _filled(self, agent: str, version: str) -> ResolvedPrompt | None:
        definition, given = self._own_limits(agent, version).agent, self.state.start.input
        return self.case.ports.prompts(self.request.tenant, definition, given, self.request.run)

    def _call_limits_of(self, state: RunState) -> CallLimits:
        return self._own_limits(state.agent.agent, state.agent.version).changed_by(state)

    def _own_limits(self, agent: str, version: str) -> CallLimits:
        return self.case.call_limits(self.request.tenant, agent, version, self.state.start.rehearsed)

    def _permit(self, state: RunState) -> Intent | Condensation | End:
        call_limits = self._call_limits_of(state)
        permit = may_call(state, call_limits, self.case.ports.clock.now(), self.request.run)
        limit = call_limits.cost_limit_usd_micros(state)
        return self.slot.covered(state, permit, limit) if isinstance(permit, Intent) else permit

    def _end(self, end: End) -> AdvanceAnswer:
        self.writer.end(end)
        return self._answer("done", error=failed_with(self.state.end))

    def _answer(self, next_: Next, **more: Any) -> AdvanceAnswer:
        tenant, run = self.request.tenant, self.request.run
        return AdvanceAnswer.model_validate(
            {
                "tenant": tenant,
                "run": run,
                "next": next_,
                "seq": self.state.pending_seq,
                "spent": self.request.spent,
                **more,
            }
        )


_TOO_LATE: Final = RunError(code=NO_ANSWER, detail="the run that asked could not wait any longer.")
