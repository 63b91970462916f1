"""What a command line says of a price, over the one that holds."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.money import FIGURES, FiguresMissing, Price, PriceChange

LISTED: dict[str, Any] = {
    "model": "m", "agreed": False, "input_usd_per_mtok": "2", "output_usd_per_mtok": "10",
    "cache_read_usd_per_mtok": "0.2", "context_tokens": 1000, "calculator": "tokens", "terms": {},
    "long_context": {"input_usd_per_mtok": "4", "output_usd_per_mtok": "20", "above_prompt_tokens": 500},
    "source": "the list", "as_of": "2026-11-01",
}  # fmt: skip


def test_what_is_not_said_stays_and_source_and_day_are_new() -> None:
    price = PriceChange({"input": "1.5"}).over(LISTED, "2026-11-30")
    assert price == {
        **{name: value for name, value in LISTED.items() if name not in ("model", "agreed")},
        "input_usd_per_mtok": "1.5",
        "source": "set by hand",
        "as_of": "2026-11-30",
    }
    assert str(Price.model_validate(price).input_usd_per_mtok) == "1.5"


def test_a_discount_is_agreed_and_taken_away() -> None:
    less = PriceChange(discount_percent="15", source="our contract", as_of="2026-11-02").over(LISTED, "x")
    assert (less["calculator"], less["terms"]) == ("discount", {"percent": "15"})
    assert (less["source"], less["as_of"]) == ("our contract", "2026-11-02")
    still = PriceChange({"input": "1"}).over(less, "2026-11-30")
    assert still["terms"] == {"percent": "15"}
    whole = PriceChange(discount_percent="0").over(less, "2026-11-30")
    assert (whole["calculator"], whole["terms"]) == ("tokens", {})


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({}, ["--input", "--output"]),
        ({"input": "1"}, ["--output"]),
        ({"output": "1", "context": "9"}, ["--input"]),
    ],
)
def test_a_new_model_needs_what_its_tokens_cost(said: dict[str, str], missing: list[str]) -> None:
    with pytest.raises(FiguresMissing) as refused:
        PriceChange(said).over(None, "2026-11-30")
    assert refused.value.options == missing


def test_every_figure_is_a_field_of_a_price() -> None:
    body = PriceChange(dict.fromkeys(FIGURES, "1")).over(None, "2026-11-30")
    price = Price.model_validate(body)
    assert [getattr(price, name) for name in FIGURES.values()] == [1] * len(FIGURES)
