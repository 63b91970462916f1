"""Money as integer micro-dollars, prices of models, and changes of a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stepward.domain.numbers import Exact, Whole

MICROS_PER_USD: Final = 1_000_000
DearestPerMtok = Annotated[Exact, Field(ge=0, le=100_000, decimal_places=9, allow_inf_nan=False)]
"""Dollars per million tokens; a higher price is taken for a mistake."""


class Usage(BaseModel):
    """What one model call consumed, the same for every vendor; no token is counted twice.

    Except that `reasoning_tokens` are a part of `output_tokens`. `input_tokens` are those that no cache gave
    or took; `cache_write_tokens` are kept for five minutes, those of `cache_write_1h_tokens` for an hour.
    `is_estimated` says that the vendor has not counted all of it, and that bytes stand in for what is
    missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = Field(default=0, exclude_if=lambda tokens: tokens == 0)
    reasoning_tokens: int = Field(default=0, exclude_if=lambda tokens: tokens == 0)
    is_estimated: bool = Field(default=False, exclude_if=lambda is_estimated: not is_estimated)

    @property
    def prompt_tokens(self) -> int:
        """Everything that the model read, which decides the tier."""
        return (
            self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.cache_write_1h_tokens
        )


class Tier(BaseModel):
    """Prices of tokens, in dollars per million tokens; cached tokens default to input's price.

    What is kept for an hour and has no price of its own costs what is kept for five minutes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    input_usd_per_mtok: DearestPerMtok
    output_usd_per_mtok: DearestPerMtok
    cache_read_usd_per_mtok: DearestPerMtok | None = None
    cache_write_usd_per_mtok: DearestPerMtok | None = None
    cache_write_1h_usd_per_mtok: DearestPerMtok | None = None

    def exact_usd_micros(self, usage: Usage) -> Decimal:
        """Price a usage exactly: dollars per million tokens are micro-dollars per token."""
        read, write = self.cache_read_usd_per_mtok, self.cache_write_usd_per_mtok
        write = self.input_usd_per_mtok if write is None else write
        hour = self.cache_write_1h_usd_per_mtok
        return (
            self.input_usd_per_mtok * usage.input_tokens
            + self.output_usd_per_mtok * usage.output_tokens
            + (self.input_usd_per_mtok if read is None else read) * usage.cache_read_tokens
            + write * usage.cache_write_tokens
            + (write if hour is None else hour) * usage.cache_write_1h_tokens
        )


class LongContext(Tier):
    """The price of the whole call when the prompt is longer than a bound."""

    above_prompt_tokens: Whole = Field(gt=0)


class Price(Tier):
    """What a model costs, with where and when that was read.

    `calculator` names how a usage becomes money, and `terms` are what it needs to know beside the prices.
    """

    long_context: LongContext | None = None
    context_tokens: Whole | None = Field(default=None, gt=0)
    max_output_tokens: Whole | None = Field(default=None, ge=0)
    calculator: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] = "tokens"
    terms: dict[str, Any] = Field(default_factory=dict, max_length=20)
    source: str = Field(min_length=1, max_length=300)
    as_of: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    note: str | None = Field(default=None, max_length=300)

    def cost_usd_micros(self, usage: Usage) -> int:
        """Price a usage in micro-dollars, rounded up: a cost is never shown as less than it was."""
        return rounded_up(self.tier(usage).exact_usd_micros(usage))

    def tier(self, usage: Usage) -> Tier:
        """Choose the prices by the prompt's length."""
        long = self.long_context
        return long if long and usage.prompt_tokens > long.above_prompt_tokens else self


def usd_to_micros(usd: Decimal | float | str) -> int:
    """Convert dollars into micro-dollars, rounded down: a limit is never wider than written."""
    return int(Decimal(str(usd)) * MICROS_PER_USD)


def dollars(usd_micros: int) -> str:
    """Format an amount for people, exactly: $0.02, $0.0005, $12.50.

    >>> dollars(20_000), dollars(500), dollars(12_500_000)
    ('$0.02', '$0.0005', '$12.50')
    """
    whole, rest = divmod(abs(usd_micros), MICROS_PER_USD)
    cents = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if usd_micros < 0 else ''}${whole:,}.{cents}"


def rounded_up(usd_micros: Decimal) -> int:
    """Round an exact amount up to whole micro-dollars."""
    return int(usd_micros.to_integral_value(ROUND_CEILING))


FIGURES: Final[Mapping[str, str]] = {
    "input": "input_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "cache-read": "cache_read_usd_per_mtok",
    "cache-write": "cache_write_usd_per_mtok",
    "cache-write-1h": "cache_write_1h_usd_per_mtok",
    "context": "context_tokens",
    "max-output": "max_output_tokens",
}
"""The options of commands about prices, with the fields of a price that they set."""
_KEPT: Final = (*FIGURES.values(), "long_context", "calculator", "terms", "note")
BY_HAND: Final = "set by hand"


class FiguresMissing(ValueError):
    """A new price lacks figures; `options` names the missing ones."""

    def __init__(self, options: list[str]) -> None:
        self.options = options
        super().__init__(f"the model has no price yet: give {' and '.join(options)} as well.")


@dataclass(frozen=True)
class PriceChange:
    """A change of a price.

    Args:
        figures: Values as they were typed, by the names of `FIGURES`; what is not there stays as it is.
        discount_percent: What a contract takes off the price; None leaves it as it is, 0 takes it away.
        source: Where the price comes from.
        as_of: The day on which it was read, YYYY-MM-DD.
    """

    figures: Mapping[str, str] = field(default_factory=dict)
    discount_percent: str | None = None
    source: str | None = None
    as_of: str | None = None

    def over(self, current: Mapping[str, Any] | None, today: str) -> dict[str, Any]:
        """Return the new price.

        Args:
            current: The one that holds, as JSON; None for a model that has none.
            today: The day that counts where `as_of` is not said.

        Returns:
            The body of a request that sets it.

        Raises:
            FiguresMissing: There is nothing to take what tokens cost from.
        """
        said = {FIGURES[name]: value for name, value in self.figures.items()}
        price = {name: (current or {})[name] for name in _KEPT if name in (current or {})} | said
        needed = [f"--{name}" for name in ("input", "output") if FIGURES[name] not in price]
        if needed:
            raise FiguresMissing(needed)
        if self.discount_percent is not None:
            taken_off = {"calculator": "discount", "terms": {"percent": self.discount_percent}}
            whole = {"calculator": "tokens", "terms": {}}
            price |= whole if self.discount_percent == "0" else taken_off
        return {**price, "source": self.source or BY_HAND, "as_of": self.as_of or today}
