"""Check an agent against what its models can do: at registration, forks and starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from stepward.agents.requests import joined
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.model_cards import ModelCard
from stepward.domain.money import Price
from stepward.models.base import model_id, price_of
from stepward.models.capability_checks import Wanted, check_alive, refusals
from stepward.models.cards import card_of
from stepward.models.output_schemas import output_faults


@dataclass(frozen=True)
class ModelCheckContext:
    """What a check of a model knows besides the definition."""

    agreed: Mapping[str, Price] = field(default_factory=dict)
    """Prices that were agreed otherwise than by list, by the model's id."""
    today: date | None = None
    """The day in UTC; None where no run will come of the check."""
    providers: frozenset[str] | None = None
    """The providers that the stage may call; None where they are unknown."""


def check_model(agent: AgentDefinition, known: ModelCheckContext) -> None:
    """Refuse models without a price, that have ended, or that cannot do what is asked of them.

    Args:
        agent: The definition; its `fallbacks` are held to the same as its `model`.
        known: The prices, the day and the providers.

    Raises:
        InvalidRequest: With a reason for each field.
    """
    found = list(_found(agent, agent.model, known))
    told = {(one.field, one.detail) for one in found}
    for index, name in enumerate(agent.fallbacks):
        if model_id(name) == model_id(agent.model):
            found.append(_itself(index, name))
        further = [one for one in _found(agent, name, known) if (one.field, one.detail) not in told]
        found += [_of_fallback(index, one) for one in further]
    if found:
        raise joined(found)


def _found(agent: AgentDefinition, name: str, known: ModelCheckContext) -> Iterator[InvalidRequest]:
    """Find the faults of one model; of one that cannot be called at all, only that."""
    card = card_of(name, known.agreed)
    try:
        if known.today is not None:
            check_alive(name, card, known.today)
        price_of(name, known.agreed)
        _check_provider(agent, name, card, known.providers)
    except InvalidRequest as error:
        yield error
        return
    if card is None:
        return
    yield from refusals(name, card, _wanted(agent, name))
    if agent.output_schema is not None:
        for fault in output_faults(agent.output_schema, card.provider):
            yield InvalidRequest(f"{fault.detail}.", field=fault.field, fix=fault.fix)


def _check_provider(
    agent: AgentDefinition, name: str, card: ModelCard | None, providers: frozenset[str] | None
) -> None:
    """Refuse a model whose provider the stage has not; one that is only rehearsed needs none."""
    if card is None or not card.provider or providers is None or agent.rehearsal is not None:
        return
    if card.provider in providers:
        return
    raise InvalidRequest(
        f"the model {name!r} is of {card.provider!r}, a provider that this stage has not.",
        field="model",
        fix=f"write PROVIDER/MODEL with one of: {', '.join(sorted(providers))}; the operator adds others",
    )


def _itself(index: int, name: str) -> InvalidRequest:
    return InvalidRequest(
        f"the fallback {name!r} is the agent's own model.",
        field=f"fallbacks.{index}",
        fix="remove it: a model that did not answer is asked again by itself",
    )


def _of_fallback(index: int, error: InvalidRequest) -> InvalidRequest:
    mend = error.fix if error.field == "model" else f"use another one, or `{error.field}`: {error.fix}"
    return InvalidRequest(error.detail, field=f"fallbacks.{index}", fix=mend)


def ending(agent: AgentDefinition, today: date) -> Iterator[tuple[str, str, ModelCard]]:
    """Find the models of an agent that end within 60 days.

    Args:
        agent: The definition.
        today: The day in UTC.

    Returns:
        For each its field, its name and its card.
    """
    fallbacks = [(f"fallbacks.{index}", name) for index, name in enumerate(agent.fallbacks)]
    for place, name in (("model", agent.model), *fallbacks):
        card = card_of(name)
        if card is not None and card.ends_soon(today) and not card.ended(today):
            yield place, name, card


def check_startable(agent: AgentDefinition, today: date) -> None:
    """Refuse a start whose model has ended since the version was registered.

    Raises:
        InvalidRequest: It has; the fix names the model's successor and asks for a new version.
    """
    try:
        check_alive(agent.model, card_of(agent.model), today)
    except InvalidRequest as error:
        again = f"{error.fix}, in a new version of {agent.id!r}"
        raise InvalidRequest(error.detail, field="model", fix=again) from error


def _wanted(agent: AgentDefinition, name: str) -> Wanted:
    return Wanted(
        backend=agent.llm_backend if name == agent.model else None,
        max_output_tokens=agent.limits.max_output_tokens,
        tools=bool(agent.tools),
        output_schema=agent.output_schema is not None,
        temperature=agent.temperature,
        effort=agent.effort,
        thinking=agent.thinking,
        cache=None if agent.cache == "off" else agent.cache,
    )
