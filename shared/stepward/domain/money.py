"""Money is integer micro-dollars, so that sums are exact and comparisons mean what they say."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from pydantic import BaseModel, ConfigDict

MICROS_PER_USD = 1_000_000


class Usage(BaseModel):
    """What one model call consumed, as the provider counts it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_tokens: int = 0
    output_tokens: int = 0


class Price(BaseModel):
    """What a model costs, in dollars a million tokens, with where and when that was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    source: str
    as_of: str

    def cost_usd_micros(self, usage: Usage) -> int:
        """Price a usage in micro-dollars, rounded up: a cost is never shown as less than it was."""
        exact = self.input_usd_per_mtok * usage.input_tokens + self.output_usd_per_mtok * usage.output_tokens
        return int(exact.to_integral_value(ROUND_CEILING))  # dollars a million tokens = micro-dollars a token


def usd_to_micros(usd: Decimal | float | str) -> int:
    """Turn dollars into micro-dollars, rounded down: a limit is never wider than was written."""
    return int(Decimal(str(usd)) * MICROS_PER_USD)
