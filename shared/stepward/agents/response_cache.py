"""Answer a call that equals an earlier one with that reply, for agents that ask for it.

A reply is stored after it is in the journal: a crash between the two loses no more than a later hit.

time →   asks ✓ ─ turn ✓ paid ─ keep ✓            the next run finds it, and pays nothing
         asks ✓ ─ turn ✓ paid ─ ✗ dies            the run continues from its journal; the next run asks
         finds ✓ ─ ✗ dies                         the next invocation finds it; the reservation counts as lost
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from stepward.agents.call_limits import CallLimits
from stepward.agents.endings import TurnOutcome
from stepward.domain.conversation import FOR_THE_BOOKS, CacheHit, ModelReply, ModelRequest, ToolCall
from stepward.domain.errors import Bug, ModelFault, PlatformFault
from stepward.domain.money import Usage
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunStatus
from stepward.models.attachments import name_of
from stepward.ports.clock import Clock, iso
from stepward.ports.models import CallContext, Delta, KeptReply, ResponseCache, ResponseKey
from stepward.tools.arguments import read_arguments
from stepward.tools.catalog import bind

MOST_KEPT_BYTES: Final = 100_000
"""A longer reply is not stored: each KB is paid for, at each write and at each hit."""
_LOG: Final = logging.getLogger(__name__)
_STORE_FAULTS: Final = (PlatformFault, Bug)
"""Errors of a store that is slow, down, or refuses the function: they end no run."""
_MOST_AHEAD: Final = timedelta(minutes=5)
"""How far another function's clock may be ahead: AWS refuses calls by clocks that are farther out."""
_WHOLE: Final = ("end", "tools")
"""The stop reasons of a complete reply."""


@dataclass
class CachedCall:
    """One call to the response cache; `has_missed` is True after a lookup without a hit."""

    store: ResponseCache
    key: ResponseKey
    ttl_s: int
    call_limits: CallLimits
    call: CallContext
    clock: Clock
    has_missed: bool = False

    @classmethod
    def of(
        cls, call_limits: CallLimits, state: RunState, call: CallContext, request: ModelRequest, clock: Clock
    ) -> CachedCall | None:
        """Identify a call.

        Args:
            call_limits: Whose model is asked.
            state: The run; a rehearsed one has nothing to do with the cache.
            call: The call, made for a tenant.
            request: What the model is sent.
            clock: The time by which replies expire.

        Returns:
            The call; None where the agent does not use the cache.
        """
        agent, providers = call_limits.agent, call_limits.providers
        store = providers.responses if providers else None
        if agent.response_cache is None or store is None or state.start.rehearsed:
            return None
        key = ResponseKey(call.tenant, agent.id, agent.version, digest_of(call_limits, request))
        return cls(store, key, agent.response_cache.ttl_s, call_limits, call, clock)

    def find(self) -> ModelReply | None:
        """Return the stored reply, priced at what it saves, and stream it to the listeners."""
        try:
            kept = self.store.find(self.key)
        except _STORE_FAULTS as error:
            _LOG.warning("the model is asked without the response cache: %s: %s", error.code, error.detail)
            return None
        if kept is None or not self._holds(kept):
            self.has_missed = True
            return None
        if kept.reply.text:
            self.call.on_delta(Delta("text", kept.reply.text))
        return self._hit(kept)

    def _holds(self, kept: KeptReply) -> bool:
        """Whether a reply has not expired and would be stored today.

        A reply from a clock that is far ahead counts as expired.
        """
        now = self.clock.now()
        is_of_our_time = kept.kept_since <= now + _MOST_AHEAD and now < kept.expires_at
        return is_of_our_time and _is_wanted(kept.reply)

    def keep(self, followed: TurnOutcome) -> None:
        """Store a reply that the model has just given, if it is whole and good."""
        if not self.has_missed or not is_good(followed, self.call_limits):
            return
        kept = KeptReply(reply=followed.reply, kept_at=iso(self.clock.now()), ttl_s=self.ttl_s)
        size = len(kept.model_dump_json().encode())
        if size > MOST_KEPT_BYTES:
            _LOG.info("a reply of %d bytes is too long for the response cache", size)
            return
        try:
            self.store.keep(self.key, kept)
        except _STORE_FAULTS as error:
            _LOG.warning("a reply is not kept in the response cache: %s: %s", error.code, error.detail)

    def _hit(self, kept: KeptReply) -> ModelReply:
        reply = kept.reply
        hit = CacheHit(
            kept_at=kept.kept_at,
            usage=reply.usage,
            saved_usd_micros=self.call_limits.cost_usd_micros(reply),
            request_id=reply.request_id,
        )
        return reply.model_copy(update={"usage": Usage(), "request_id": None, "cache_hit": hit})


def digest_of(call_limits: CallLimits, request: ModelRequest) -> str:
    """Return a digest of the agent's definition and of all that its model is sent.

    Args:
        call_limits: Whose model is asked; with its definition no reply outlives what it was an answer to.
        request: The call. What runs differ in and no model is sent, such as what earlier calls have cost, does not count.

    Returns:
        64 hexadecimal digits.
    """
    names = [name_of(one) for one in request.attachments]
    parts = (call_limits.agent.model_dump_json(), request.model_dump_json(exclude=_NOT_SENT), repr(names))
    digest = sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def is_good(followed: TurnOutcome, call_limits: CallLimits) -> bool:
    """Return True if a reply may be reused: whole, accepted, and by the model that was wanted."""
    end = followed.end
    is_accepted = followed.note is None and (end is None or end.status is RunStatus.COMPLETED)
    can_be_made = all(_can_be_made(call, call_limits) for call in followed.reply.calls)
    return is_accepted and can_be_made and _is_wanted(followed.reply)


def _is_wanted(reply: ModelReply) -> bool:
    """Return True if a reply is whole, and by the model that the agent names."""
    return reply.stop in _WHOLE and reply.model is None and not reply.tried


def _can_be_made(call: ToolCall, call_limits: CallLimits) -> bool:
    """Return True if a call names one of the agent's tools, with arguments that it takes."""
    use = call_limits.agent.tool(call.tool)
    if use is None:
        return False
    try:
        read_arguments(bind(use), call)
    except ModelFault:
        return False
    return True


_NOT_SENT: Final[Any] = {
    "own_turn": True,
    "attachments": {"__all__": {"key"}},
    "history": {
        "__all__": {
            "results": {"__all__": FOR_THE_BOOKS},
            "reply": {"usage", "request_id", "cache_hit", "model", "tried"},
        }
    },
}
