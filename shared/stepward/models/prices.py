"""What models cost, as data with source and date; dollars a million tokens."""

from __future__ import annotations

from decimal import Decimal

from stepward.domain.money import Price

_SOURCE = "genai-prices 0.2.3 and the vendors' price pages"
_AS_OF = "2026-11-01"


def _price(input_usd: str, output_usd: str) -> Price:
    return Price(
        input_usd_per_mtok=Decimal(input_usd),
        output_usd_per_mtok=Decimal(output_usd),
        source=_SOURCE,
        as_of=_AS_OF,
    )


PRICES: dict[str, Price] = {
    "claude-opus-5-5": _price("4", "20"),
    "claude-sonnet-5-5": _price("2", "10"),
    "claude-haiku-4-5": _price("1", "5"),
    "gpt-6.1-sol": _price("2", "10"),
    "gpt-6.1-terra": _price("1", "5"),
}

ALIASES: dict[str, str] = {
    "fast": "claude-haiku-4-5",
    "balanced": "claude-sonnet-5-5",
    "deep": "claude-opus-5-5",
}
