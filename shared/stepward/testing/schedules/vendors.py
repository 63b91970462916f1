"""Vendors of models in memory, behind the product's own gateway.

The gateway has its keys, limits, breakers and fall-backs. A call stops for the scheduler before it is made and while its
reply streams. What a vendor has sent is paid, even if its caller dies.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.provider_limits import SharedLimits
from stepward.agents.call_limits import CallLimits
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import (
    KeyRefused,
    ProviderFault,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.domain.money import Usage
from stepward.domain.runs import RunKey
from stepward.models.base import price_of
from stepward.models.catalog import backend_for, gateway_for
from stepward.models.gateway import Providers
from stepward.ports.clock import Clock
from stepward.ports.models import CallContext
from stepward.ports.providers import ProviderEntry, with_built_in
from stepward.testing.schedules.actors import PortCall, acting
from stepward.testing.schedules.faults import Died, InjectedFault
from stepward.testing.schedules.ports import CallLog, watched

ASK: Final = "ask"
STREAM: Final = "stream"
"""The two moments of a vendor's call at which it may fail."""
_SUMMARY: Final = "They reckoned."
_ENTRIES: Final = with_built_in(
    [ProviderEntry(name="anthropic", kind="anthropic", requests_per_minute=6, tokens_per_minute=40_000)]
)
_TWO_KEYS: Final = json.dumps({"keys": [{"id": name, "value": f"sk-{name}-0123"} for name in ("one", "two")]})
_CUTS: Final = (InjectedFault.ANSWER_LOST, InjectedFault.THROTTLED, InjectedFault.BROWN_OUT)
"""What breaks a stream off: its connection, an error within it, silence."""


@dataclass
class Vendors:
    """All vendors of a schedule, and what the product needs to call them.

    Args:
        call_log: The log of calls and payments.
        pause: Lets a gateway's short pauses pass.
        is_answered: Returns True if a run's journal already has the reply to a call that its owner makes.
    """

    call_log: CallLog
    pause: Callable[[float], None]
    is_answered: Callable[[RunKey, str, str], bool]
    _store: MemoryLimitStore = field(default_factory=MemoryLimitStore)
    _scripts: dict[tuple[str, str], AgentDefinition] = field(default_factory=dict)
    _plain: dict[tuple[str, str], CallLimits] = field(default_factory=dict)
    _refusals: Any = field(default_factory=count)

    def call_limits(self, tenant: str, agent: AgentDefinition, clock: Clock) -> CallLimits:
        """Return an agent's gateway as a new process has it: without remembered limits."""
        self._scripts[tenant, agent.prompt] = agent
        if (tenant, agent.id) not in self._plain:
            self._plain[tenant, agent.id] = CallLimits.of(agent, rehearsed=False)
        pools = MemoryPools({f"{entry.name}/shared": _TWO_KEYS for entry in _ENTRIES if entry.takes_key})
        keys = watched("keys", MemoryProviderKeys(pools), self.call_log)
        store = watched("limits", self._store, self.call_log)
        limits = SharedLimits(store, clock, spread_s=lambda: 0.0)
        providers = Providers(_ENTRIES, keys, limits, self.pause, clients=lambda _: self)
        backend = gateway_for(agent, {}, providers)
        return replace(self._plain[tenant, agent.id], backend=backend, providers=providers)

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Answer one call, or meet a fault before it, in its stream, or after it."""
        model_call = _ModelCall(self, request, call)
        fault = model_call.stop_at(ASK)
        if fault is InjectedFault.DIES_BEFORE:
            raise Died
        if fault not in (InjectedFault.NONE, InjectedFault.DIES_AFTER):
            raise self._refusal(fault)
        whole = self._written(request, call)
        return model_call.stream(whole, is_heard=fault is InjectedFault.NONE)

    def _refusal(self, fault: InjectedFault) -> ProviderFault:
        """Decline a call, which costs nothing."""
        number = next(self._refusals)
        if fault is InjectedFault.THROTTLED:
            return ProviderThrottled("fewer requests, please", retry_after_s=(1, 3, 20)[number % 3])
        if fault is InjectedFault.ANSWER_LOST and number % 2:
            return KeyRefused("this key is no good")
        return ProviderUnavailable("nothing came for 90 s.")

    def _written(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Return the reply of the agent's script for the turn; a summary has no script."""
        agent = self._scripts.get((call.tenant, request.prompt))
        if agent is None:
            size = len(request.model_dump_json())
            return ModelReply(text=_SUMMARY, usage=Usage(input_tokens=size // 4, output_tokens=6), stop="end")
        return backend_for(agent, rehearsed=True).reply(request, call)


@dataclass(frozen=True)
class _ModelCall:
    """One call of one vendor."""

    vendors: Vendors
    request: ModelRequest
    call: CallContext

    @property
    def key(self) -> RunKey:
        run = self.call.name.partition(":")[0]
        return RunKey(tenant=self.call.tenant, run=run)

    def stop_at(self, moment: str) -> InjectedFault:
        """Stop for the scheduler."""
        actor = acting()
        if actor is None:
            return InjectedFault.NONE
        fault = actor.stop_before(PortCall("model", moment, is_write=False, key=self.key))
        if moment == ASK and self.vendors.is_answered(self.key, self.call.name, actor.name):
            self.vendors.call_log.uncovered.append(f"{actor.name} asks again for {self.call.name}")
        return fault

    def stream(self, whole: ModelReply, *, is_heard: bool) -> ModelReply:
        """Stream the reply; what has come is paid, even if the caller dies."""
        part, came = _beginning(whole), whole
        try:
            if not is_heard:
                raise Died
            came = part
            fault = self.stop_at(STREAM)
            if fault is InjectedFault.DIES_BEFORE:
                raise Died
            if fault in _CUTS:
                raise StreamCut("the stream was cut", partial=part)
            if self.call.is_over():
                return part
            came = whole
            if fault is InjectedFault.DIES_AFTER:
                raise Died
            return whole
        finally:
            self._pay(came.usage)

    def _pay(self, usage: Usage) -> None:
        actor = acting()
        cost = price_of(self.request.model).cost_usd_micros(usage)
        self.vendors.call_log.pay(self.key, actor.name if actor else "", cost, self.call.name)


def _beginning(whole: ModelReply) -> ModelReply:
    """Return the first half of a reply that is cut; its prompt is paid whole."""
    usage = whole.usage.model_copy(update={"output_tokens": (whole.usage.output_tokens + 1) // 2})
    text = whole.text[: len(whole.text) // 2]
    return whole.model_copy(update={"text": text, "calls": (), "usage": usage, "stop": "cut"})
