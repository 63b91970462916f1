"""What is known of a model: provider, capabilities, limits, price and end."""

from __future__ import annotations

from datetime import date, timedelta
from math import ceil
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from stepward.domain.conversation import Effort
from stepward.domain.money import Price

Thinking = Literal["adaptive", "enabled", "between_tools", "disabled"]
CacheTtl = Literal["5m", "1h"]

MOST_CALL_S: Final = 840
"""The function that calls models may run 900 s; a minute is for what goes before and after a call."""
FIRST_TOKEN_S: Final = 60
TOKENS_AN_HOUR: Final = 128_000
"""How slow output may be: the rate by which Anthropic's SDK computes how long a call may take."""
WARNED_BEFORE: Final = timedelta(days=60)
"""The notice that Anthropic gives at least before it retires a model."""


class Capabilities(BaseModel):
    """What a model can be asked for; the defaults fit every server of a known protocol."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    text: bool = True
    tools: bool = True
    parallel_tools: bool = False
    forced_tools: bool = True
    """Whether a request may insist on a tool call."""
    structured_output: bool = False
    streaming: bool = True
    images: bool = False
    documents: bool = False
    thinking: tuple[Thinking, ...] = ()
    """adaptive: the model decides; enabled: within a budget of tokens; between_tools: off but for short notes."""
    efforts: tuple[Effort, ...] = ()
    efforts_without_thinking: tuple[Effort, ...] | None = None
    """The efforts that go together with thinking turned off; None: all."""
    temperature: Literal["never", "without_thinking", "always"] = "never"
    cache_ttls: tuple[CacheTtl, ...] = ()
    """How long a cached prompt may be kept; 5m stands for the vendor's own where it is not chosen by request."""
    cache_off: bool = False
    """Whether a request can turn off a cache that the vendor fills by itself."""

    @property
    def thinks(self) -> bool:
        """Whether it can be asked to think."""
        return "adaptive" in self.thinking or "enabled" in self.thinking

    @property
    def can_stop_thinking(self) -> bool:
        """Whether thinking can be turned off."""
        return "disabled" in self.thinking or "between_tools" in self.thinking


class ModelCard(BaseModel):
    """One model, with the source and date of its data.

    Prices name their own source, because they change on other days than capabilities do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    id: str
    provider: str
    """The entry that carries its calls: anthropic, openai, bedrock, openvino, or a name of the operator's own."""
    vendor_id: str
    """What the provider calls it."""
    capabilities: Capabilities = Capabilities()
    context_tokens: int | None = Field(default=None, gt=0)
    max_input_tokens: int | None = Field(default=None, gt=0)
    """The most that one call may read, where less than the context."""
    max_output_tokens: int | None = Field(default=None, ge=0)
    price: Price | None = None
    """None for a model that has ended, because nothing can run it."""
    ends_on: date | None = None
    """The first day on which its provider answers no more."""
    successor: str | None = None
    source: str
    as_of: str
    note: str | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def max_call_s(self) -> int:
        """How long its longest call may take, in seconds."""
        return MOST_CALL_S if self.max_output_tokens is None else self.call_s(self.max_output_tokens)

    def call_s(self, max_output_tokens: int) -> int:
        """Return how long a call may take at most.

        Args:
            max_output_tokens: How much it may write.

        Returns:
            Seconds: a minute until the first token, an hour for each 128,000 tokens, and never more than a
            function that calls models can wait.
        """
        return min(MOST_CALL_S, FIRST_TOKEN_S + ceil(max_output_tokens * 3_600 / TOKENS_AN_HOUR))

    def ended(self, today: date) -> bool:
        """Return True if its provider does not answer any more."""
        return self.ends_on is not None and self.ends_on <= today

    def ends_soon(self, today: date) -> bool:
        """Return True if it ends within 60 days, or has ended."""
        return self.ends_on is not None and self.ends_on <= today + WARNED_BEFORE
