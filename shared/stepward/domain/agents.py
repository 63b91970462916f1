"""An agent is a versioned definition: model, prompt, tools, limits; versions never change."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from stepward.domain.aliases import resolve_aliases
from stepward.domain.conversation import CacheTime, Effort
from stepward.domain.durations import A_YEAR_S
from stepward.domain.ids import AgentId, Version
from stepward.domain.money import usd_to_micros
from stepward.domain.numbers import Exact, Fraction
from stepward.domain.prompts import MOST_VARIABLES, PromptReference, ResolvedPrompt
from stepward.domain.scripted_model import Rehearsal
from stepward.domain.tools import ToolUse

PROMPT_LIMIT_CHARS = 100_000
FACET_PATTERN: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9 ._&/-]{0,61}[A-Za-z0-9])?$"
MOST_TAGS: Final = 20
HIGH_FROM: Final = 8
NORMAL_FROM: Final = 4
LEAST_CONTEXT_TOKENS: Final = 1_000

Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=PROMPT_LIMIT_CHARS)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Facet = Annotated[str, StringConstraints(pattern=FACET_PATTERN)]
"""A word by which agents are found: a module, a category or a tag."""


def is_none(value: object) -> bool:
    """Return True if a field is not set; older versions' JSON leaves it out."""
    return value is None


def is_empty(value: list[str]) -> bool:
    """Return True if a list has no items."""
    return not value


class Capability(StrEnum):
    """What kind of work an agent is for, so that others can find it."""

    TEXT_PROCESSING = "TEXT_PROCESSING"
    DOCUMENT_ANALYSIS = "DOCUMENT_ANALYSIS"
    API_INTEGRATION = "API_INTEGRATION"
    WORKFLOW_CONTROL = "WORKFLOW_CONTROL"


class Limits(BaseModel):
    """Bounds on one run of the agent."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    max_iterations: int = Field(default=20, strict=True, ge=1, le=200)
    max_output_tokens: int = Field(default=1024, strict=True, ge=1, le=128_000)
    cost_limit_usd: Exact = Field(default=Decimal(1), gt=0, le=10_000, decimal_places=6)
    timeout_s: int = Field(default=300, strict=True, ge=1, le=A_YEAR_S)
    refuse_over_budget: bool = Field(default=False, strict=True)
    """Whether a start is refused when the run's highest cost does not fit the limits."""

    @property
    def cost_limit_usd_micros(self) -> int:
        """The limit in micro-dollars."""
        return usd_to_micros(self.cost_limit_usd)


class MemoryConfig(BaseModel):
    """What an agent remembers beyond a run; empty means nothing."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    session_ttl_s: int | None = Field(default=None, strict=True, ge=60, le=A_YEAR_S)
    long_term: list[Literal["facts", "episodes", "procedures"]] = Field(default_factory=list, max_length=3)
    most_recalled: int | None = Field(default=None, strict=True, ge=1, le=100)

    @property
    def wants_something(self) -> bool:
        """Whether anything at all is to be remembered."""
        return self != MemoryConfig()


class ContextConfig(BaseModel):
    """How much of a long conversation an agent's model is shown."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    max_tokens: int | None = Field(default=None, strict=True, ge=LEAST_CONTEXT_TOKENS, exclude_if=is_none)
    """How long a prompt may be, where less than the model can read."""
    summarise: ModelName | None = Field(default=None, exclude_if=is_none)
    """The model that summarises what is left out; None or `off`: none does, and the calls are listed."""

    @property
    def summariser(self) -> str | None:
        """The model that summarises."""
        return None if self.summarise == "off" else self.summarise


class ResponseCacheConfig(BaseModel):
    """How an agent uses the response cache, which answers equal calls with an earlier reply."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    ttl_s: int = Field(strict=True, ge=1, le=A_YEAR_S)
    """How many seconds a reply is reused."""

    @model_validator(mode="before")
    @classmethod
    def _is_written_out(cls, given: Any) -> Any:
        if isinstance(given, dict | cls):
            return given
        raise ValueError("write it as {ttl_s: 3600}; without the field no reply is given again")

    @field_validator("ttl_s", mode="before")
    @classmethod
    def _is_a_time(cls, given: Any) -> Any:
        if type(given) is int and 1 <= given <= A_YEAR_S:
            return given
        raise ValueError(f"write whole seconds, from 1 to {A_YEAR_S} (a year), as in 3600")


class AgentDefinition(BaseModel):
    """One version of an agent as its file defines it; `aliases` has the other field names."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id: AgentId
    name: str = Field(min_length=1, max_length=120)
    version: Version
    description: str = Field(default="", max_length=2_000)
    capabilities: list[Capability] = Field(default_factory=list, max_length=len(Capability))
    module: Facet | None = None
    category: Facet | None = None
    tags: list[Facet] = Field(default_factory=list, max_length=MOST_TAGS)
    model: ModelName
    llm_backend: str | None = Field(default=None, max_length=40, exclude=True)
    """A check that is not stored: the provider that the model must have."""
    temperature: Fraction | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    effort: Effort | None = Field(default=None, exclude_if=is_none)
    thinking: bool | None = Field(default=None, strict=True, exclude_if=is_none)
    cache: CacheTime | None = Field(default=None, exclude_if=is_none)
    """How long the provider keeps the prompt's beginning: `off`, `5m` or `1h`; None means `5m` where the model can."""
    response_cache: ResponseCacheConfig | None = Field(default=None, exclude_if=is_none)
    """Whether equal calls are given the model's earlier reply, and for how long; None: each call asks the model."""
    fallbacks: list[ModelName] = Field(default_factory=list, max_length=5, exclude_if=is_empty)
    """Models to ask, in this order, where the one before does not answer."""
    context: ContextConfig | None = Field(default=None, exclude_if=is_none)
    """How much of a long conversation the model is shown; None: as much as it can read."""
    prompt: Prompt
    prompt_variables: dict[str, Any] | None = Field(
        default=None, max_length=MOST_VARIABLES, exclude_if=is_none
    )
    """Values for the variables of a prompt of the registry, which `prompt` names as in `support-system@prod`."""
    input_schema: dict[str, Any] | None = None
    """The JSON Schema of what a run is given; without one any text or object goes."""
    output_schema: dict[str, Any] | None = Field(default=None, exclude_if=is_none)
    """The JSON Schema of the answer: a JSON object, checked before the run ends; without one the answer is any text."""
    tools: list[ToolUse] = Field(default_factory=list, max_length=64)
    dependencies: list[AgentId] = Field(default_factory=list, max_length=64)
    memory_config: MemoryConfig = MemoryConfig()
    priority: int = Field(default=5, strict=True, ge=1, le=10)
    max_retries: int | None = Field(default=None, strict=True, ge=0, le=100)
    """How often a run retries after a transient failure of its model; None: until its deadline."""
    limits: Limits = Limits()
    rehearsal: Rehearsal | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_name_a_field(cls, given: Any) -> Any:
        return resolve_aliases(given) if isinstance(given, dict) else given

    @field_validator("capabilities", "tags", "dependencies", "fallbacks")
    @classmethod
    def _each_once(cls, given: list[str]) -> list[str]:
        twice = next((one for index, one in enumerate(given) if one in given[:index]), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is given twice; keep one")
        return given

    @model_validator(mode="after")
    def _variables_have_a_prompt(self) -> Self:
        if self.prompt_variables is not None and PromptReference.read(self.prompt) is None:
            raise ValueError(
                "`prompt_variables` belong to a prompt of the registry, as in prompt: support-system@prod"
            )
        return self

    @model_validator(mode="after")
    def _tool_names_differ(self) -> Self:
        seen: set[str] = set()
        for use in self.tools:
            if use.called in seen:
                raise ValueError(f"two tools are called {use.called!r}; give one of them another `name`")
            seen.add(use.called)
        return self

    @property
    def run_priority(self) -> Literal["high", "normal", "low"]:
        """Its runs' priority in the run queue: of 8 and more high, of 3 and less low."""
        if self.priority >= HIGH_FROM:
            return "high"
        return "normal" if self.priority >= NORMAL_FROM else "low"

    def tool(self, called: str) -> ToolUse | None:
        """Find a tool by the name that the model uses."""
        return next((use for use in self.tools if use.called == called), None)

    def with_prompt(self, prompt: ResolvedPrompt | None) -> AgentDefinition:
        """Return the same agent with the text that its prompt came to, if it names one."""
        return self if prompt is None else self.model_copy(update={"prompt": prompt.text})
