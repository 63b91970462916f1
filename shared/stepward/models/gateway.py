"""Calls an agent's models in order: by a key within its limits, with retries, then the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from math import ceil
from time import sleep
from typing import Final, Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from stepward.domain.conversation import ModelReply, ModelRequest, Tried
from stepward.domain.errors import (
    AskNextModel,
    KeyRefused,
    ModelUnknown,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StreamCut,
)
from stepward.domain.model_cards import ModelCard
from stepward.models.attachments import fault_of
from stepward.models.provider_faults import hide, no_key, soonest
from stepward.models.streams import SPARE_S
from stepward.models.token_counts import most_prompt_tokens
from stepward.ports.models import Access, CallContext, ResponseCache
from stepward.ports.providers import (
    OWN_ROLE,
    PlannedCall,
    ProviderEntry,
    ProviderKey,
    ProviderKeys,
    ProviderLimits,
)

CLIENTS: Final[Mapping[str, str]] = {
    "anthropic": "stepward.models.anthropic:AnthropicMessages",
    "openai": "stepward.models.openai_responses:OpenAiResponses",
    "openai-chat": "stepward.models.openai_chat:OpenAiChat",
    "bedrock": "stepward.adapters.aws.bedrock:BedrockConverse",
}
"""The client of each protocol, as module and class, loaded by the first call."""
SHORT_S: Final = 2.0
"""A longer pause is left to the state machine: a function that sleeps is paid."""
LONG_S: Final = 30.0
"""Attempts that took longer than this are not repeated at once."""
ATTEMPTS: Final = 3
MOST_OF_THE_TIME: Final = 0.9
"""The share of a function's time that must be left where the longest call never fits."""
_NO_PERMISSION: Final = 403


class ModelClient(Protocol):
    """Speaks one vendor's protocol."""

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Make one call."""


def client_of(kind: str) -> ModelClient:
    """Return the client of a protocol, and load what it needs."""
    module, _, name = CLIENTS[kind].partition(":")
    client: ModelClient = getattr(import_module(module), name)()
    return client


@dataclass(frozen=True)
class Providers:
    """What calls of real models need beside the request.

    Args:
        entries: The providers that the stage may call.
        keys: Their keys.
        limits: Rate limits of keys and health of providers.
        pause: Waits some seconds before the same call is made again.
        responses: The response cache, for agents that want it; without it none is used.
        clients: Returns the client of a protocol.
    """

    entries: tuple[ProviderEntry, ...]
    keys: ProviderKeys
    limits: ProviderLimits
    pause: Callable[[float], None] = sleep
    responses: ResponseCache | None = None
    clients: Callable[[str], ModelClient] = client_of

    def entry(self, name: str) -> ProviderEntry:
        """Find a provider's entry.

        Raises:
            ProviderRefused: The stage has none of this name.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        known = ", ".join(one.name for one in self.entries)
        raise ProviderRefused(
            f"this stage has no provider {name!r}.",
            field="model",
            fix=f"name a model of {known}, or have the operator add `[providers.{name}]` to the stage's configuration",
        )


class Gateway:
    """A `ModelBackend` over the providers of a stage."""

    def __init__(
        self, cards: Iterable[ModelCard], most_output_tokens: int, providers: Providers | None
    ) -> None:
        self._cards = tuple(cards)
        self._providers = providers
        self._most_output_tokens = most_output_tokens
        self.longest_call_s = max(float(card.call_s(most_output_tokens)) for card in self._cards)

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        """Count what a prompt takes at most."""
        return most_prompt_tokens(request)

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Call one model after the other until one answers.

        A model that has failed since the newest turn comes after those that have failed less often.

        Raises:
            AskNextModel: The next one's longest call needs more time than is left.
            ProviderFault: None did; of their faults the one that passes first, else the last.
        """
        fresh_s, faults = call.time_left_s(), dict[str, ProviderFault]()
        tokens = self.estimate_input_tokens(request)
        failed = {card.id: len(call.unanswered.get(card.id, ())) for card in self._cards}
        for card in sorted(self._cards, key=lambda card: failed[card.id]):
            if faults and self._is_too_late(card, call.time_left_s(), fresh_s):
                is_round_over = failed[card.id] > min(failed[name] for name in faults)
                fault = soonest([*faults.values()])
                raise AskNextModel(fault, tried=tuple(faults), is_round_over=is_round_over)
            try:
                reply = self._ask(card, request, call, tokens)
            except StreamCut as cut:
                came = self._signed(ModelReply.model_validate(cut.partial), card, call, faults)
                raise StreamCut(cut.detail, partial=came) from cut
            except ProviderFault as fault:
                faults[card.id] = fault
            else:
                return self._signed(reply, card, call, faults)
        if not faults:
            raise ProviderRefused("there is no model to ask.")
        raise soonest([*faults.values()])

    def _is_too_late(self, card: ModelCard, left_s: float, fresh_s: float) -> bool:
        """Return whether a model's longest call may not end in the time that is left."""
        needed_s = card.call_s(self._most_output_tokens) + SPARE_S
        return left_s < min(needed_s, fresh_s * MOST_OF_THE_TIME)

    def _signed(
        self, reply: ModelReply, card: ModelCard, call: CallContext, faults: Mapping[str, ProviderFault]
    ) -> ModelReply:
        """Add which model answered and which failed before, unless the first one answered."""
        if card is self._cards[0]:
            return reply
        before = [one.id for one in self._cards[: self._cards.index(card)]]
        earlier = {name: call.unanswered[name][-1] for name in before if call.unanswered.get(name)}
        codes = earlier | {name: fault.code for name, fault in faults.items()}
        tried = tuple(Tried(model=name, error=code) for name, code in codes.items())
        return reply.model_copy(update={"model": card.id, "tried": tried})

    def _ask(self, card: ModelCard, request: ModelRequest, call: CallContext, tokens: int) -> ModelReply:
        """Call one model, with short pauses between attempts."""
        providers = self._providers
        if providers is None:
            raise ProviderRefused("this function calls no models.")
        fault = fault_of(request.attachments, card.capabilities, card.provider)
        if fault:
            fix = "hand over only to agents whose models take the run's attachments; `stepward models` lists them"
            raise ProviderRefused(f"the model {card.id!r} {fault[1]}", fix=fix)
        fresh_s = call.time_left_s()
        attempts = Retrying(
            retry=retry_if_exception(lambda error: _is_soon(error, call.time_left_s(), fresh_s)),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause_s,
            sleep=providers.pause,
            reraise=True,
        )
        asked = _ModelCall(providers, card, request, call, tokens)
        answer: ModelReply = attempts(asked.once)
        return answer


@dataclass(frozen=True)
class _ModelCall:
    """One call of one model."""

    providers: Providers
    card: ModelCard
    request: ModelRequest
    call: CallContext
    input_tokens: int

    def once(self) -> ModelReply:
        """Make one attempt; after a refused or throttled key the next key is used.

        After a refusal the keys are read again, so that one that was changed in the meantime is used at once.
        """
        entry = self.providers.entry(self.card.provider)
        tried: set[str] = set()
        faults: list[ProviderFault] = []
        while left := [key for key in self._keys(entry) if key.fingerprint not in tried]:
            planned = self._planned(entry)
            try:
                key = self.providers.limits.admit(planned, left)
            except ProviderThrottled as full:
                raise soonest([*faults, full]) from full
            tried.add(key.fingerprint)
            try:
                return self._with(key, planned)
            except (KeyRefused, ProviderThrottled) as fault:
                faults.append(fault)
        raise soonest(faults) if faults else no_key(entry.name)

    def _keys(self, entry: ProviderEntry) -> tuple[ProviderKey, ...]:
        return self.providers.keys.of(self.call.tenant, entry.name) if entry.takes_key else (OWN_ROLE,)

    def _planned(self, entry: ProviderEntry) -> PlannedCall:
        tokens = self.input_tokens + self.request.max_output_tokens
        return PlannedCall(entry, self.card.id, tokens, self._name)

    def _with(self, key: ProviderKey, planned: PlannedCall) -> ModelReply:
        try:
            reply = self.providers.clients(planned.entry.kind).reply(
                self._worded, self._to(planned.entry, key)
            )
        except ProviderFault as fault:
            hide(fault, key.value.get_secret_value())
            self._note(planned, key, fault)
            raise
        usage = reply.usage
        self.providers.limits.answered(planned, key, usage.prompt_tokens + usage.output_tokens)
        return reply

    @property
    def _name(self) -> str:
        return f"{self.call.tenant}:{self.call.name}"

    @property
    def _worded(self) -> ModelRequest:
        most = self.card.max_output_tokens
        capped = min(self.request.max_output_tokens, most) if most else self.request.max_output_tokens
        return self.request.model_copy(update={"model": self.card.id, "max_output_tokens": capped})

    def _to(self, entry: ProviderEntry, key: ProviderKey) -> CallContext:
        access = Access(
            key=key.value if entry.takes_key else None, url=entry.base_url, silence_s=entry.silence_s
        )
        return replace(
            self.call,
            access=access,
            provider=entry.name,
            vendor_model=self.card.vendor_id,
            capabilities=self.card.capabilities,
        )

    def _note(self, planned: PlannedCall, key: ProviderKey, fault: ProviderFault) -> None:
        limits = self.providers.limits
        match fault:
            case ProviderThrottled():
                limits.throttled(planned, key, fault.retry_after_s)
            case ProviderUnavailable():
                limits.failed(planned)
            case ModelUnknown():
                limits.refused(planned, key, of_model=True)
            case KeyRefused():
                limits.refused(planned, key, of_model=fault.status == _NO_PERMISSION)
                self.providers.keys.forget(self.call.tenant, planned.entry.name)


def _is_soon(error: BaseException, left_s: float, fresh_s: float) -> bool:
    """Return whether the same call is worth repeating within this function's time.

    It is not where a part of the reply came. A model that was silent for long has had its time: what is left of the
    function's is for the next one.
    """
    if not isinstance(error, ProviderThrottled | ProviderUnavailable) or isinstance(error, StreamCut):
        return False
    asked = error.retry_after_s if isinstance(error, ProviderThrottled) else None
    return (asked or 0) <= SHORT_S < left_s and fresh_s - left_s <= LONG_S


def _pause_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, ProviderThrottled) else None
    # All functions set a key aside for whole seconds, so that none tries it too soon.
    return min(SHORT_S, 0.25 * 2**state.attempt_number) if asked is None else float(ceil(asked))
