"""Patterns over events: EventBridge's meaning, and its refusals, for the part of the language that triggers take."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.triggers.patterns import matches
from stepward.domain.patterns import fits
from stepward.domain.triggers import EventMatch

EVENT = {
    "status": "PAID",
    "amount": 120.5,
    "is_new": True,
    "note": None,
    "tags": ["vip", "eu"],
    "customer": {"country": "DE"},
    "items": [{"sku": "A-1"}, {"sku": "B-2"}],
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"status": ["PAID", "SENT"]}, True),
        ({"status": ["paid"]}, False),
        ({"status": [{"equals-ignore-case": "paid"}]}, True),
        ({"status": [{"prefix": "PA"}]}, True),
        ({"status": [{"suffix": "PA"}]}, False),
        ({"status": [{"anything-but": "SENT"}]}, True),
        ({"tags": [{"anything-but": ["vip"]}]}, False),
        ({"amount": [{"numeric": [">", 100, "<=", 120.5]}]}, True),
        ({"amount": [{"numeric": ["<", 100]}]}, False),
        ({"is_new": [1]}, False),
        ({"is_new": [True]}, True),
        ({"note": [None]}, True),
        ({"absent": [None]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"customer": [{"exists": True}]}, False),
        ({"customer": {"country": ["DE"], "city": [{"exists": False}]}}, True),
        ({"tags": ["eu"]}, True),
        ({"items": {"sku": [{"prefix": "B"}]}}, True),
        ({"status": ["PAID"], "customer": {"country": ["FR"]}}, False),
        ({"absent": {"deep": ["x"]}}, False),
    ],
)
def test_an_event_fits_or_not_as_on_the_bus(pattern: dict[str, Any], expected: bool) -> None:
    EventMatch(source="shop", detail=pattern)
    assert fits(pattern, EVENT) is expected
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": "b"},
        {"a": []},
        {"a": [["b"]]},
        {"a": [{"wildcard": "*"}]},
        {"a": [{"prefix": "x", "suffix": "y"}]},
        {"a": [{"prefix": 1}]},
        {"a": [{"numeric": [">"]}]},
        {"a": [{"numeric": [">", True]}]},
        {"a": [{"numeric": ["~", 1]}]},
        {"a": [{"exists": "yes"}]},
        {"a": [{"anything-but": [["x"]]}]},
        {f"f{number}": [1] for number in range(101)},
    ],
)
def test_what_would_match_nothing_is_refused(pattern: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"pattern|match|list|take"):
        EventMatch(source="shop", detail=pattern)


def test_an_event_of_any_shape_is_compared() -> None:
    for event in (None, "text", 3, [], [{"status": "PAID"}]):
        assert fits({"status": ["PAID"]}, event) is (event == [{"status": "PAID"}])
