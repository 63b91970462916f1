"""Holds what an agent says of long conversations to what its models can read, when it is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stepward.agents.context import room_tokens
from stepward.agents.model_checks import Known
from stepward.agents.refusals import joined
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.models.base import model_id, price_of
from stepward.models.capability_checks import Wanted, check_alive, refusals
from stepward.models.cards import card_of

_USUAL_BYTES_A_TOKEN: Final = 3.6


def check_context(agent: AgentDefinition, known: Known) -> None:
    """Refuse a prompt that leaves no room for a conversation, and a model that cannot sum one up.

    Args:
        agent: The definition.
        known: The prices and the day.

    Raises:
        InvalidRequest: With a reason for each field.
    """
    found = [*_room_faults(agent, known), *_summary_faults(agent, known)]
    if found:
        raise joined(found)


def _room_faults(agent: AgentDefinition, known: Known) -> Iterator[InvalidRequest]:
    window = room_tokens(agent.model_copy(update={"context": None}), known.agreed)
    own = agent.context.max_tokens if agent.context else None
    if window is not None and window <= 0:
        yield InvalidRequest(
            f"an answer of {agent.limits.max_output_tokens} tokens leaves no room for a prompt.",
            field="limits.max_output_tokens",
            fix="use less, or a model with a larger window",
        )
        return
    if own is not None and window is not None and own > window:
        yield InvalidRequest(
            f"the agent's models have room for {window} tokens of prompt beside the answer, not for {own}.",
            field="context.max_tokens",
            fix=f"use at most {window}, or remove it",
        )
        return
    least = round(len(agent.prompt.encode()) / _USUAL_BYTES_A_TOKEN)
    room = own if own is not None else window
    if room is not None and least >= room:
        yield InvalidRequest(
            f"the prompt alone takes about {least} tokens, and there is room for {room}.",
            field="prompt" if own is None else "context.max_tokens",
            fix="say less, or use a model with a larger window" if own is None else f"use more than {least}",
        )


def _summary_faults(agent: AgentDefinition, known: Known) -> Iterator[InvalidRequest]:
    name = agent.context.summariser if agent.context else None
    if name is None:
        return
    try:
        card = card_of(name, known.agreed)
        if known.today is not None:
            check_alive(name, card, known.today)
        price_of(name, known.agreed)
    except InvalidRequest as error:
        yield InvalidRequest(error.detail, field="context.summarise", fix=error.fix)
        return
    if card is None:
        return
    if known.providers is not None and card.provider not in known.providers and agent.rehearsal is None:
        yield InvalidRequest(
            f"the model {name!r} is of a provider that this stage has not.",
            field="context.summarise",
            fix=f"use a model of {', '.join(sorted(known.providers))}, such as fast",
        )
    for fault in refusals(model_id(name), card, Wanted()):
        yield InvalidRequest(fault.detail, field="context.summarise", fix="use another model, such as fast")
