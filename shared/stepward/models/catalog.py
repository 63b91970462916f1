"""Which backend answers an agent's model calls: its rehearsal, or its model's provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import InvalidRequest, RehearsalMissing, StepwardError
from stepward.domain.model_cards import ModelCard
from stepward.domain.money import Price
from stepward.domain.nearest import nearest
from stepward.models.cards import ALIASES, PROVIDERS, card_of, listed_card, listed_models, model_id

if TYPE_CHECKING:
    from stepward.models.gateway import Providers
    from stepward.ports.models import CallContext, ModelBackend

# ruff: noqa: PLC0415  a function loads only what answers its own calls

UNSUPPORTED_PROVIDERS: Final = ("", "openvino")
"""Providers that no release can call yet, and "" for none: their models need a rehearsal."""


class NoBackend:
    """Replaces a missing backend: each call raises why there is none, which ends the run."""

    longest_call_s = 0.0

    def __init__(self, error: StepwardError) -> None:
        self.error = error

    def reply(self, _: ModelRequest, __: CallContext) -> ModelReply:
        """Raise the reason."""
        raise self.error

    def estimate_input_tokens(self, _: ModelRequest) -> int:
        """Raise the reason."""
        raise self.error


def backend_for(
    agent: AgentDefinition,
    *,
    rehearsed: bool,
    agreed: Mapping[str, Price] | None = None,
    providers: Providers | None = None,
) -> ModelBackend:
    """Choose the backend of an agent.

    Args:
        agent: The agent.
        rehearsed: Whether its rehearsal answers, as its run decided at the start.
        agreed: The tenant's own prices, which make models known that are not listed.
        providers: What calls of real models need; without it only estimates can be made.

    Returns:
        The backend.

    Raises:
        RehearsalMissing: The run is rehearsed, and the agent has no rehearsal.
        InvalidRequest: No backend carries the agent's model.
    """
    check_backend(agent, rehearsed=rehearsed)
    if rehearsed and agent.rehearsal is not None:
        from stepward.models.scripted import ScriptedBackend

        return ScriptedBackend(agent.rehearsal)
    return gateway_for(agent, agreed, providers)


def gateway_for(
    agent: AgentDefinition, agreed: Mapping[str, Price] | None, providers: Providers | None
) -> ModelBackend:
    """Make the backend that calls an agent's models in their order.

    Raises:
        InvalidRequest: One of them is not known.
    """
    from stepward.models.gateway import Gateway

    cards = [_known(name, agreed) for name in (agent.model, *agent.fallbacks)]
    return Gateway(cards, agent.limits.max_output_tokens, providers)


def _known(name: str, agreed: Mapping[str, Price] | None) -> ModelCard:
    card = card_of(name, agreed)
    if card is None:
        raise InvalidRequest(
            f"the model {name!r} is not known, and has no price.",
            field="model",
            fix="GET /models lists those that are known; PUT /prices/{model} gives another its price",
        )
    return card


def backend_or_reason(
    agent: AgentDefinition,
    *,
    rehearsed: bool,
    agreed: Mapping[str, Price] | None = None,
    providers: Providers | None = None,
) -> ModelBackend:
    """Choose the backend of an agent, or one that raises why there is none."""
    try:
        return backend_for(agent, rehearsed=rehearsed, agreed=agreed, providers=providers)
    except InvalidRequest as error:
        return NoBackend(error)


def check_backend(agent: AgentDefinition, *, rehearsed: bool) -> None:
    """Refuse an agent that has no backend, without making one.

    Raises:
        RehearsalMissing: The run is rehearsed, and the agent has no rehearsal.
        InvalidRequest: No backend carries the agent's model.
    """
    if rehearsed and agent.rehearsal is None:
        raise RehearsalMissing(
            f"the run is rehearsed, and agent {agent.id!r} has no rehearsal: its model would have to be paid.",
            field="rehearsal",
            fix=f'give {agent.id!r} a `rehearsal`, or start the run with `"rehearse": false`',
        )
    if not rehearsed and _provider_of(agent) in UNSUPPORTED_PROVIDERS:
        or_rehearse = ', or start it with `"rehearse": true`' if agent.rehearsal else ""
        raise InvalidRequest(
            f"no provider can serve the model {agent.model!r} of agent {agent.id!r}: {_whose(agent)}.",
            field="model",
            fix=f"name a model of {', '.join(PROVIDERS)}{or_rehearse}",
        )


def check_answerable(agent: AgentDefinition) -> None:
    """Refuse to register an agent that has neither a rehearsal nor a known model.

    Raises:
        InvalidRequest: Neither could answer it.
    """
    if agent.rehearsal is None and _provider_of(agent) in UNSUPPORTED_PROVIDERS:
        near = nearest(agent.model, [*ALIASES, *listed_models()])
        meant = f"did you mean {near!r}? Else name" if near else "name"
        raise InvalidRequest(
            f"no provider can serve the model {agent.model!r}: {_whose(agent)}, and agent {agent.id!r} has no rehearsal.",
            field="model",
            fix=f"{meant} a model of {', '.join(PROVIDERS)}, or PROVIDER/MODEL of a server of your own; "
            "or add a `rehearsal` with the replies that stand in for it",
        )


def _provider_of(agent: AgentDefinition) -> str:
    """Return a model's provider, by its card or as the name that its id begins with."""
    model = model_id(agent.model)
    card = listed_card(model)
    return card.provider if card else model.partition("/")[0] if "/" in model else ""


def _whose(agent: AgentDefinition) -> str:
    provider = _provider_of(agent)
    return f"this release carries no provider {provider!r}" if provider else "its provider is not known"
