"""Who provides which model and what it can be asked for, as data: what it cannot is refused at registration."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.models.base import model_id

SOURCE: Final = "anthropic 2.x and openai 3.x method signatures, and the vendors' model pages, 2026-11-01"
SCRIPTED: Final = "scripted"
"""The one backend that stands in for every provider."""


class Ability(BaseModel):
    """What a family of models shares."""

    model_config = ConfigDict(frozen=True)

    provider: str
    takes_temperature: bool


FAMILIES: Final = {
    "claude-": Ability(provider="anthropic", takes_temperature=False),
    "gpt-": Ability(provider="openai", takes_temperature=True),
    "openvino/": Ability(provider="openvino", takes_temperature=True),
}
"""Beginning of a model's id → what its family can do. Anthropic's methods have no sampling parameters any more."""


def ability_of(model: str) -> Ability | None:
    """Find what is known of a model; None for a name of no known family."""
    named = model_id(model)
    return next((ability for beginning, ability in FAMILIES.items() if named.startswith(beginning)), None)


def check_abilities(agent: AgentDefinition) -> None:
    """Refuse a temperature that the model does not take, and a provider that is not the model's."""
    ability = ability_of(agent.model)
    if agent.temperature is not None and not (ability and ability.takes_temperature):
        raise InvalidRequest(
            f"the model {agent.model!r} takes no temperature.",
            field="temperature",
            fix="remove it; say in the prompt how freely the model may write",
        )
    backend = agent.llm_backend
    if backend not in (None, SCRIPTED) and not (ability and ability.provider == backend):
        whose = f"of {ability.provider!r}" if ability else "of no known provider"
        raise InvalidRequest(
            f"the model {agent.model!r} is {whose}, not of {backend!r}.",
            field="llm_backend",
            fix="remove it: the model's name says whose it is",
        )
