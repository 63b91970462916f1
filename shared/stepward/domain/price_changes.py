"""What somebody says of a model's price on a command line, and the price that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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
