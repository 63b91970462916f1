"""Take one turn of a run: call the model, record the reply, and decide what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from stepward.agents.call_limits import CallLimits
from stepward.agents.endings import turn_outcome
from stepward.agents.journal_writer import RunWriter
from stepward.agents.machine_messages import AdvanceAnswer
from stepward.agents.response_cache import CachedCall
from stepward.agents.run_inputs import contents_of
from stepward.domain.conversation import ModelReply
from stepward.domain.errors import (
    AskNextModel,
    AttachmentChanged,
    Bug,
    ModelFault,
    PlatformFault,
    ProviderFault,
    ProviderThrottled,
    RehearsalFailed,
    StepwardError,
    StoreConflict,
    StreamCut,
)
from stepward.domain.journal import Condensed, End, Intent, Turn, Waiting
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunStatus
from stepward.models.provider_faults import pause_s
from stepward.ports.clock import Clock, iso
from stepward.ports.models import CallContext
from stepward.ports.tool_services import Datasets

AFTER_A_CUT_S: Final = 2
LONGEST_WAIT_S: Final = 300
MOST_WAITS: Final = 300
MOST_CUTS: Final = 10
"""How many replies in a row may break off: each one is paid."""


@dataclass(frozen=True)
class ModelTurn:
    """One model call that the run has reserved for; `answer` and `end` make the next step."""

    writer: RunWriter
    call_limits: CallLimits
    intent: Intent
    clock: Clock
    time_left_s: Callable[[], float]
    answer: Callable[..., AdvanceAnswer]
    end: Callable[[End], AdvanceAnswer]
    datasets: Datasets

    @property
    def state(self) -> RunState:
        """The run as its journal has it."""
        return self.writer.state

    def take(self) -> AdvanceAnswer | None:
        """Make the call; None when the run continues at once."""
        call, request = self._call(), self.call_limits.request(self.state)
        cached = CachedCall.of(self.call_limits, self.state, call, request, self.clock)
        try:
            reply = cached.find() if cached else None
            if reply is None:
                reply = self.call_limits.backend.reply(request, replace(call, attached=self._attached()))
        except StreamCut as error:
            self._book_what_came(error)
            return self._without_reply(error)
        except AskNextModel as error:
            return self._with_next(error)
        except (AttachmentChanged, ProviderFault, ModelFault) as error:
            return self._without_reply(error)
        followed = turn_outcome(reply, self.call_limits.agent, self.state.history)
        has_missed = cached is not None and cached.has_missed
        turn = self._turn(followed.reply, end=followed.end, note=followed.note, cache_missed=has_missed)
        self._append_paid(turn, turn)
        if cached:
            cached.keep(followed)
        return self.end(followed.end) if followed.end else None

    def _call(self, what: str = "") -> CallContext:
        return CallContext(
            tenant=self.writer.key.tenant,
            name=f"{self.writer.key.run}:{self.intent.turn}{what}",
            time_left_s=self.time_left_s,
            is_over=self._is_over,
            unanswered=self.state.unanswered,
        )

    def _attached(self) -> Mapping[str, bytes]:
        """Read the attachments for the model; a rehearsal needs none."""
        if self.state.start.rehearsed:
            return {}
        return contents_of(self.datasets, self.writer.key.tenant, self.state.start.attachments)

    def _turn(self, reply: ModelReply, **fields: Any) -> Turn:
        named = self.call_limits.named | ({"model": reply.model} if reply.model else {})
        cost = self.call_limits.cost_usd_micros(reply)
        return self.writer.make(
            Turn, turn=self.intent.turn, reply=reply, cost_usd_micros=cost, **named, **fields
        )

    def _append_paid(self, record: Turn | Condensed, bill: Turn) -> None:
        """Write what a reply has led to; where the run has continued without us, only its cost."""
        try:
            self.writer.append(record)
        except StoreConflict:
            self.writer.book_late(bill)
            raise

    def _book_what_came(self, error: StreamCut) -> None:
        """Pay for a reply that broke off; its text is dropped."""
        if not isinstance(error.partial, ModelReply):
            raise Bug("a stream that was cut brings no reply")
        turn = self._turn(error.partial, late=True)
        self._append_paid(turn, turn)

    def _is_over(self) -> bool:
        """Check whether the run has been ended or taken over while its reply streams."""
        try:
            return self.writer.is_overtaken()
        except PlatformFault:
            return False  # the check is repeated in a second; a paid reply must not be lost to it

    def _with_next(self, error: AskNextModel) -> AdvanceAnswer:
        """Try the next model in a new invocation, after a pause if every model had its turn."""
        if error.is_round_over:
            # A fault that lasts is one model's own: others may answer, so it does not end the run.
            told = error.fault if error.fault.retryable else error
            return self._without_reply(told, error.tried)
        self.writer.append(self._waiting(error, 0, is_retry=False, unanswered=error.tried))
        return self.answer("again")

    def _without_reply(self, error: StepwardError, unanswered: tuple[str, ...] = ()) -> AdvanceAnswer:
        mend = f" Fix: {error.fix}." if error.fix else ""
        reason = RunError(code=error.code, detail=f"{error.detail}{mend}")
        unspent = isinstance(error, ProviderFault | RehearsalFailed | AttachmentChanged)
        is_hopeless = isinstance(error, StreamCut) and self.state.cuts >= MOST_CUTS
        if is_hopeless or not error.retryable:
            return self.end(End(status=RunStatus.FAILED, error=reason, unspent=unspent))
        seconds = wait_s(error)
        is_retry = not (isinstance(error, ProviderThrottled) and error.is_ours)
        waiting = self._waiting(error, seconds, is_retry=is_retry, unanswered=unanswered)
        most = self.call_limits.agent.max_retries
        is_last = is_retry and self.state.waits >= (MOST_WAITS if most is None else most)
        if is_last or datetime.fromisoformat(waiting.until) >= self.state.deadline:
            return self.end(End(status=RunStatus.RATE_LIMITED, error=reason, unspent=unspent))
        self.writer.append(waiting)
        return self.answer("wait", seconds=seconds)

    def _waiting(self, error: StepwardError, seconds: int, **more: Any) -> Waiting:
        until = self.clock.now() + timedelta(seconds=seconds)
        return self.writer.make(
            Waiting, until=iso(until), reason=error.code, detail=error.detail[:300], **more
        )


def wait_s(error: StepwardError) -> int:
    """Return how many seconds to wait before the same call is tried again."""
    return (
        AFTER_A_CUT_S if isinstance(error, StreamCut) else max(1, min(LONGEST_WAIT_S, round(pause_s(error))))
    )
