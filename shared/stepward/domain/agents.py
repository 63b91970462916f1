"""An agent is a versioned definition: model, prompt, tools, limits; versions never change."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stepward.domain.ids import AgentId, Version
from stepward.domain.money import usd_to_micros
from stepward.domain.rehearsal import Rehearsal
from stepward.domain.tool_use import ToolUse

PROMPT_LIMIT_CHARS = 100_000
Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=PROMPT_LIMIT_CHARS)]


class Limits(BaseModel):
    """What one run of the agent may take."""

    model_config = ConfigDict(extra="forbid")

    max_iterations: int = Field(default=20, strict=True, ge=1, le=200)
    max_output_tokens: int = Field(default=1024, strict=True, ge=1, le=128_000)
    cost_limit_usd: Decimal = Field(default=Decimal(1), gt=0, le=10_000, decimal_places=6)
    timeout_s: int = Field(default=300, strict=True, ge=1, le=31_536_000)

    @property
    def cost_limit_usd_micros(self) -> int:
        """The limit in micro-dollars."""
        return usd_to_micros(self.cost_limit_usd)


class AgentDefinition(BaseModel):
    """One version of an agent, as its file says it."""

    model_config = ConfigDict(extra="forbid")

    id: AgentId
    name: str = Field(min_length=1, max_length=120)
    version: Version
    description: str = Field(default="", max_length=2_000)
    model: str = Field(min_length=1, max_length=120)
    prompt: Prompt
    tools: list[ToolUse] = Field(default_factory=list, max_length=64)
    limits: Limits = Limits()
    rehearsal: Rehearsal | None = None

    @model_validator(mode="after")
    def _tool_names_differ(self) -> Self:
        seen: set[str] = set()
        for use in self.tools:
            if use.called in seen:
                raise ValueError(f"two tools are called {use.called!r}; give one of them another `name`")
            seen.add(use.called)
        return self

    def tool(self, called: str) -> ToolUse | None:
        """Find a tool by the name that the model uses."""
        return next((use for use in self.tools if use.called == called), None)
