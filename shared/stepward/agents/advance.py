"""Advances a run until it must wait: the heart of the agent loop.

Each step is made durable before the next one starts, so the function may die anywhere and the next invocation goes
on from the journal. A turn costs two appends: `turn` (the reply and its cost) and `results` (with the reservation
for the next call).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from stepward.agents.gate import Consultant, failure, may_call, must_stop
from stepward.agents.outcomes import TurnCalls
from stepward.agents.writer import RunWriter
from stepward.domain.conversation import ModelReply
from stepward.domain.errors import (
    Bug,
    ModelFault,
    OutputMalformed,
    ProviderFault,
    ProviderThrottled,
    StepwardError,
    StoreConflict,
)
from stepward.domain.journal import Claimed, End, Intent, Results, Turn, Waiting
from stepward.domain.json_values import carried_bytes
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunKey, RunStatus
from stepward.ports.clock import Clock, from_iso, iso
from stepward.ports.datasets import Datasets
from stepward.ports.journal import Journal
from stepward.ports.runtime_state import RuntimeState

TIME_FOR_A_TURN_S: Final = 45
PROVIDER_WAIT_S: Final = 10
LONGEST_WAIT_S: Final = 300
MOST_WAITS: Final = 300
REPLY_LIMIT_BYTES: Final = 2_000_000
"""With an input of 3 MB the run still fits into one answer of a Lambda function, which has 6 MB at most."""


class FailedCall(BaseModel):
    """A call whose function gave no result, as the machine saw it."""

    call: str
    error: str


class AdvanceRequest(BaseModel):
    """What the machine sends: ids and what it has just done, never content.

    `called` is the place of the turn whose calls the machine has just made: only that turn's missing results are
    final. `error` asks for the run's end because advancing it failed too often.
    """

    model_config = ConfigDict(extra="ignore")

    v: Literal[1]
    tenant: str
    run: str
    called: int | None = None
    failed: list[FailedCall] = Field(default_factory=list)
    error: str | None = None

    @property
    def key(self) -> RunKey:
        """The run's name within its tenant."""
        return RunKey(tenant=self.tenant, run=self.run)


Next = Literal["done", "calls", "wait", "again"]


class AdvanceAnswer(BaseModel):
    """What the machine is to do next; ids only, under 2 KB.

    `seq` is the place of the turn whose calls are open, `newest` the journal's last place when they were asked for.
    """

    v: Literal[1] = 1
    tenant: str
    run: str
    next: Next
    seq: int
    agent: str | None = None
    version: str | None = None
    newest: int | None = None
    calls: list[str] | None = None
    seconds: int | None = None


@dataclass(frozen=True)
class Advance:
    """The use case behind `agent_advance`; `time_left_s` tells how long the function may still run."""

    journal: Journal
    runtime: RuntimeState
    datasets: Datasets
    clock: Clock
    consultant: Callable[[str, str, str], Consultant]
    invocation: str
    time_left_s: Callable[[], float]

    def __call__(self, request: AdvanceRequest) -> AdvanceAnswer:
        """Go on with the run until it is done or must wait."""
        writer = RunWriter.open(self.journal, self.runtime, self.clock, request.key, self.invocation)
        start = writer.state.start
        if request.error:
            writer.end(failure(request.error, "the platform could not advance the run."))
        elif writer.state.end is not None:
            writer.settle()
        if writer.state.end is not None:
            return AdvanceAnswer(tenant=request.tenant, run=request.run, next="done", seq=writer.state.seq)
        consultant = self.consultant(request.tenant, start.agent, start.version)
        return _Advancing(self, request, writer, consultant).run()


@dataclass(frozen=True)
class _Advancing:
    """One invocation at work on one run."""

    case: Advance
    request: AdvanceRequest
    writer: RunWriter
    consultant: Consultant

    @property
    def state(self) -> RunState:
        return self.writer.state

    def run(self) -> AdvanceAnswer:
        answer = self._claim()
        while answer is None:
            answer = (
                self._take_turn() if self.state.pending is None else self._answer_calls(self.state.pending)
            )
        return answer

    def _claim(self) -> AdvanceAnswer | None:
        is_free = self.state.pending is None
        permit = self._permit(self.state) if is_free else must_stop(self.state, self.case.clock.now())
        if isinstance(permit, End):
            return self._end(permit)
        self.writer.append(self.writer.make(Claimed, intent=permit))
        return None

    def _take_turn(self) -> AdvanceAnswer | None:
        if self.state.intent is None:
            raise Bug("a model call needs a reservation")
        try:
            reply = self.consultant.backend.reply(self.consultant.request(self.state))
        except (ProviderFault, ModelFault) as error:
            return self._without_reply(error)
        reply, end = _ending(reply)
        cost = self.consultant.price.cost_usd_micros(reply.usage)
        turn = self.writer.make(Turn, turn=self.state.intent.turn, reply=reply, cost_usd_micros=cost, end=end)
        self._append_paid(turn)
        return self._end(end) if end else None

    def _append_paid(self, turn: Turn) -> None:
        """Write the reply; where the run has gone on without us, book what it cost and leave."""
        try:
            self.writer.append(turn)
        except StoreConflict:
            self.writer.book_late(turn)
            raise

    def _without_reply(self, error: StepwardError) -> AdvanceAnswer:
        reason = RunError(code=error.code, detail=error.detail)
        unspent = isinstance(error, ProviderFault)
        if not error.retryable:
            return self._end(End(status=RunStatus.FAILED, error=reason, unspent=unspent))
        seconds = _wait_s(error)
        until = self.case.clock.now() + timedelta(seconds=seconds)
        if until >= from_iso(self.state.start.deadline_at) or self.state.waits >= MOST_WAITS:
            return self._end(End(status=RunStatus.RATE_LIMITED, error=reason, unspent=unspent))
        self.writer.append(self.writer.make(Waiting, until=iso(until), reason=error.code))
        return self._answer("wait", seconds=seconds)

    def _answer_calls(self, turn: Turn) -> AdvanceAnswer | None:
        calls = self._calls_of(turn)
        if calls.waiting():
            if self.state.pending_seq != self.request.called:
                return self._ask_for(calls)
            # Since our claim no effect can begin any more: what is marked or done by now is all there will ever be.
            self.writer.refresh_calls()
            calls = self._calls_of(turn)
        failures = {one.call: one.error for one in self.request.failed}
        return self._append_results(
            self.writer.make(Results, turn=turn.turn, outcomes=calls.outcomes(failures))
        )

    def _calls_of(self, turn: Turn) -> TurnCalls:
        return TurnCalls(
            agent=self.consultant.agent,
            tenant=self.request.tenant,
            calls=turn.reply.calls,
            items=self.state.calls,
            datasets=self.case.datasets,
            run=self.request.run,
        )

    def _ask_for(self, calls: TurnCalls) -> AdvanceAnswer:
        agent = self.consultant.agent
        return self._answer(
            "calls", agent=agent.id, version=agent.version, newest=self.state.seq, calls=calls.waiting()
        )

    def _append_results(self, results: Results) -> AdvanceAnswer | None:
        """Write the results with the next call's reservation: the gate is asked as if they were in place."""
        permit = self._permit(self.state.with_results(results))
        short = self.case.time_left_s() < TIME_FOR_A_TURN_S
        intent = permit if isinstance(permit, Intent) and not short else None
        self.writer.append(results.model_copy(update={"intent": intent}))
        if isinstance(permit, End):
            return self._end(permit)
        return self._answer("again") if short else None

    def _permit(self, state: RunState) -> Intent | End:
        return may_call(state, self.consultant, self.case.clock.now())

    def _end(self, end: End) -> AdvanceAnswer:
        self.writer.end(end)
        return self._answer("done")

    def _answer(self, next_: Next, **more: Any) -> AdvanceAnswer:
        tenant, run = self.request.tenant, self.request.run
        return AdvanceAnswer(tenant=tenant, run=run, next=next_, seq=self.state.pending_seq, **more)


def _ending(reply: ModelReply) -> tuple[ModelReply, End | None]:
    """Say whether a reply ends the run; one that no answer of the API could carry is cut, and ends it as failed."""
    size = carried_bytes(reply.model_dump(mode="json"))
    if size > REPLY_LIMIT_BYTES:
        detail = f"the model's reply takes {size} bytes; the limit is {REPLY_LIMIT_BYTES}."
        cut = reply.model_copy(update={"text": reply.text[:1_000], "calls": ()})
        return cut, failure(OutputMalformed.__name__, detail)
    return reply, None if reply.calls else End(status=RunStatus.COMPLETED)


def _wait_s(error: StepwardError) -> int:
    asked = error.retry_after_s if isinstance(error, ProviderThrottled) else None
    return max(1, min(LONGEST_WAIT_S, round(asked or PROVIDER_WAIT_S)))
