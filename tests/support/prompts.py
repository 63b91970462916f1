"""Prompts for tests, each with what a test changes."""

from __future__ import annotations

from typing import Any

from stepward.adapters.memory.small_ports import StillClock
from stepward.domain.prompts import PromptDefinition
from stepward.domain.run_origins import Caller
from stepward.ports.prompts import PromptRegistry
from stepward.prompts.labels import PromptLabels
from stepward.prompts.register import RegisterPrompt

ANN = Caller(tenant="acme", principal="ann")


def a_prompt_body(**changed: Any) -> dict[str, Any]:
    body = {
        "id": "support",
        "version": "1.0.0",
        "template": "You help {{ customer }}. Be {{ tone }}.",
        "variables": {"customer": {"type": "string"}, "tone": {"type": "string", "default": "kind"}},
    }
    return {**body, **changed}


def a_prompt(**changed: Any) -> PromptDefinition:
    return PromptDefinition.model_validate(a_prompt_body(**changed))


def register(registry: PromptRegistry, **changed: Any) -> None:
    RegisterPrompt(registry, StillClock())(ANN, a_prompt_body(**changed))


def point(
    registry: PromptRegistry, label: str, *arms: str | tuple[str, int], prompt: str = "support"
) -> None:
    pairs = [arm if isinstance(arm, tuple) else (arm, 1) for arm in arms]
    body = {"arms": [{"version": version, "weight": weight} for version, weight in pairs]}
    PromptLabels(registry, StillClock()).put(ANN, prompt, label, body)
