"""Patterns over events: EventBridge's meaning, and its refusals with their reasons."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.patterns import PatternRefused, check_pattern, fits
from stepward.domain.triggers import EventMatch

EVENT: dict[str, Any] = {
    "status": "PAID",
    "amount": 120.5,
    "whole": 300,
    "is_new": True,
    "note": None,
    "blank": "",
    "none": [],
    "object": {},
    "tags": ["vip", "eu"],
    "nested": [["a", ["b"]], "c"],
    "mixed": [1, {"x": 2}],
    "customer": {"country": "DE"},
    "items": [{"sku": "A-1", "n": 1}, {"sku": "B-2", "n": 2, "gift": True}],
    "ip": "10.0.0.7",
    "ip6": "2001:db8:1234:1a00::1",
    "path": "in/2026/report.csv",
    "a.b": {"c": "dotted"},
    "$or": "a field of that name",
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"status": ["PAID", "SENT"]}, True),
        ({"status": ["paid"]}, False),
        ({"status": ["PAID"], "customer": {"country": ["FR"]}}, False),
        ({"status": [{"equals-ignore-case": "paid"}]}, True),
        ({"blank": [{"equals-ignore-case": ""}]}, True),
        ({"status": [{"prefix": "PA"}]}, True),
        ({"status": [{"prefix": ""}]}, True),
        ({"blank": [{"prefix": ""}]}, True),
        ({"amount": [{"prefix": ""}]}, False),
        ({"note": [{"prefix": ""}]}, False),
        ({"absent": [{"prefix": ""}]}, False),
        ({"status": [{"prefix": {"equals-ignore-case": "pa"}}]}, True),
        ({"status": [{"suffix": "PA"}]}, False),
        ({"path": [{"suffix": ".csv"}]}, True),
        ({"path": [{"suffix": {"equals-ignore-case": ".CSV"}}]}, True),
        ({"status": [{"anything-but": "SENT"}]}, True),
        ({"status": [{"anything-but": ["PAID", "SENT"]}]}, False),
        ({"whole": [{"anything-but": 300}]}, False),
        ({"whole": [{"anything-but": [1, 2]}]}, True),
        ({"note": [{"anything-but": "SENT"}]}, True),
        ({"absent": [{"anything-but": "SENT"}]}, False),
        ({"customer": [{"anything-but": "SENT"}]}, False),
        ({"status": [{"anything-but": {"prefix": "PA"}}]}, False),
        ({"status": [{"anything-but": {"prefix": ["X", "PA"]}}]}, False),
        ({"status": [{"anything-but": {"suffix": "X"}}]}, True),
        ({"amount": [{"anything-but": {"prefix": "PA"}}]}, True),
        ({"status": [{"anything-but": {"equals-ignore-case": ["paid", "sent"]}}]}, False),
        ({"path": [{"anything-but": {"wildcard": "*/2026/*"}}]}, False),
        ({"tags": [{"anything-but": ["vip"]}]}, True),
        ({"tags": [{"anything-but": ["vip", "eu"]}]}, False),
        ({"amount": [{"numeric": [">", 100, "<=", 120.5]}]}, True),
        ({"amount": [{"numeric": ["<", 100]}]}, False),
        ({"amount": [{"numeric": ["=", 120.5]}]}, True),
        ({"status": [{"numeric": ["=", 0]}]}, False),
        ({"is_new": [{"numeric": ["=", 1]}]}, False),
        ({"note": [{"numeric": ["=", 0]}]}, False),
        ({"whole": [300.0]}, True),
        ({"whole": [3.0e2]}, True),
        ({"whole": ["300"]}, False),
        ({"is_new": [1]}, False),
        ({"is_new": [True]}, True),
        ({"is_new": ["true"]}, False),
        ({"note": [None]}, True),
        ({"note": [""]}, False),
        ({"blank": [""]}, True),
        ({"blank": [None]}, False),
        ({"absent": [None]}, False),
        ({"none": [None]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"note": [{"exists": True}]}, True),
        ({"blank": [{"exists": True}]}, True),
        ({"none": [{"exists": True}]}, False),
        ({"none": [{"exists": False}]}, True),
        ({"object": [{"exists": False}]}, True),
        ({"customer": [{"exists": True}]}, False),
        ({"customer": [{"exists": False}]}, True),
        ({"items": [{"exists": True}]}, False),
        ({"customer": {"country": ["DE"], "city": [{"exists": False}]}}, True),
        ({"absent": {"deep": [{"exists": False}]}}, True),
        ({"absent": {"deep": [{"anything-but": ["x"]}, {"exists": False}]}}, True),
        ({"absent": {"deep": ["x"]}}, False),
        ({"status": {"deeper": ["x"]}}, False),
        ({"tags": ["eu"]}, True),
        ({"nested": ["b"]}, True),
        ({"mixed": [1]}, True),
        ({"mixed": {"x": [2]}}, True),
        ({"items": {"sku": [{"prefix": "B"}]}}, True),
        ({"items": {"sku": ["A-1"], "n": [1]}}, True),
        ({"items": {"sku": ["A-1"], "n": [2]}}, False),
        ({"items": {"gift": [{"exists": True}]}}, True),
        ({"items": {"gift": [{"exists": False}]}}, False),
        ({"items": {"wrap": [{"exists": False}], "n": [2]}}, True),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"ip": [{"cidr": "10.0.0.7/32"}]}, True),
        ({"ip6": [{"cidr": "2001:db8:1234:1a00::/56"}]}, True),
        ({"ip": [{"cidr": "2001:db8::/32"}]}, False),
        ({"whole": [{"cidr": "0.0.0.0/0"}]}, False),
        ({"path": [{"wildcard": "in/*/report.*"}]}, True),
        ({"path": [{"wildcard": "*"}]}, True),
        ({"path": [{"wildcard": "in/*"}]}, True),
        ({"path": [{"wildcard": "*in/2026/report.csv*"}]}, True),
        ({"path": [{"wildcard": "in/*/2026/*"}]}, False),
        ({"path": [{"wildcard": "in/\\*/report.csv"}]}, False),
        ({"path": [{"wildcard": ""}]}, False),
        ({"status": [{"wildcard": "PA*AID"}]}, False),
        ({"$or": [{"whole": [1]}, {"status": ["PAID"]}]}, True),
        ({"$or": [{"whole": [1]}, {"status": ["SENT"]}]}, False),
        ({"$or": [{"whole": [1]}, {"status": ["PAID"]}], "is_new": [False]}, False),
        ({"customer": {"$or": [{"country": ["FR"]}, {"city": [{"exists": False}]}]}}, True),
        ({"$or": [{"$or": [{"whole": [1]}, {"blank": [""]}], "note": [None]}, {"status": ["SENT"]}]}, True),
        ({"$or": ["a field of that name"]}, True),
        ({"a": {"b": {"c": ["dotted"]}}}, True),
        ({"a.b.c": ["dotted"]}, True),
        ({"a": {"c": ["dotted"]}}, False),
        ({"customer.country": ["DE"]}, True),
        ({"customer.country": {"country": ["DE"]}}, False),
    ],
)
def test_an_event_fits_or_not_as_on_the_bus(pattern: dict[str, Any], expected: bool) -> None:
    EventMatch(source="shop", detail=pattern)
    assert fits(pattern, EVENT) is expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"a": "b"}, '"a" must be an object or an array'),
        ({"a": 42}, '"a" must be an object or an array'),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": {}}, "Empty objects are not allowed"),
        ({"a": [["b"]]}, "Match value must be String, number, true, false, or null"),
        ({"a": [{"PREFIX": "b"}]}, "Unrecognized match type PREFIX"),
        ({"a": [{"b": ["c"]}]}, "Unrecognized match type b"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{}]}, "Only one key allowed in match expression"),
        ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string"),
        ({"a": [{"prefix": ["x"]}]}, "prefix match pattern must be a string"),
        ({"a": [{"suffix": ["x"]}]}, "suffix match pattern must be a string"),
        ({"a": [{"suffix": {"equals-ignore-case": 1}}]}, "suffix match pattern must be a string"),
        ({"a": [{"equals-ignore-case": ["x"]}]}, "equals-ignore-case match pattern must be a string"),
        ({"a": [{"wildcard": 1}]}, "wildcard match pattern must be a string"),
        ({"a": [{"wildcard": "x**"}]}, "Consecutive wildcard characters at pos 1"),
        ({"a": [{"wildcard": "x\\y"}]}, "Invalid escape character at pos 1"),
        ({"a": [{"wildcard": "x\\"}]}, "Invalid escape character at pos 1"),
        ({"a": [{"numeric": [">"]}]}, "Value of > must be numeric"),
        ({"a": [{"numeric": ["="]}]}, "Value of equals must be numeric"),
        ({"a": [{"numeric": [">", True]}]}, "Value of > must be numeric"),
        ({"a": [{"numeric": [">", "1"]}]}, "Value of > must be numeric"),
        ({"a": [{"numeric": ["~", 1]}]}, "Unrecognized numeric range operator: ~"),
        ({"a": [{"numeric": [">", 0, ">", 1]}]}, "Bad numeric range operator: >"),
        ({"a": [{"numeric": [">", 0, "<"]}]}, "Value of < must be numeric"),
        ({"a": [{"numeric": [">", 5, "<", 5]}]}, "Bottom must be less than top"),
        ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": ["=", 5, "=", 5]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 0, "<", 5, "<", 6]}]}, "Too many terms in numeric range expression"),
        ({"a": [{"numeric": ["=", 5e9 + 1]}]}, "Value must be between -5000000000.0 and 5000000000.0, inclusive"),
        ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
        ({"a": [{"anything-but": [["x"]]}]}, "Inside anything but list, start|null|boolean is not supported."),
        ({"a": [{"anything-but": [None]}]}, "Inside anything but list, start|null|boolean is not supported."),
        ({"a": [{"anything-but": None}]}, "Value of anything-but must be an array or single string/number value."),
        ({"a": [{"anything-but": True}]}, "Value of anything-but must be an array or single string/number value."),
        ({"a": [{"anything-but": ["x", 1]}]}, "Inside anything but list, either all values are number or string, mixed type is not supported"),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed"),
        ({"a": [{"anything-but": {"prefix": 1}}]}, "prefix/suffix match pattern must be a string"),
        ({"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}, "Value of anything-but must be an array or single string/number value."),
        ({"a": [{"anything-but": {"numeric": ["=", 1]}}]}, "Unsupported anything-but pattern: numeric"),
        ({"a": [{"cidr": "10.0.0.1"}]}, "Malformed CIDR, one '/' required"),
        ({"a": [{"cidr": "10.0.0.1/x"}]}, "Malformed CIDR, mask bits must be an integer"),
        ({"a": [{"cidr": "xx.11.xx/8"}]}, "Nonstandard IP address: xx.11.xx"),
        ({"a": [{"cidr": "10.0.0.0/33"}]}, "Malformed CIDR, mask bits must be at most 32"),
        ({"b": {"$or": [{"a": "x"}, {"c": ["y"]}]}}, '"a" must be an object or an array'),
        ({"$or": [{"a": ["x"]}]}, "Unrecognized match type a"),
    ],
)  # fmt: skip
def test_what_the_bus_refuses_is_refused_for_its_reason(pattern: dict[str, Any], reason: str) -> None:
    with pytest.raises(PatternRefused) as refused:
        check_pattern(pattern)
    assert refused.value.reason == reason
    with pytest.raises(ValueError, match=r"; (write|list|name|a list)"):
        EventMatch(source="shop", detail=pattern)


def test_a_pattern_is_bounded() -> None:
    with pytest.raises(ValueError, match="100 fields"):
        EventMatch(source="shop", detail={f"f{number}": [1] for number in range(101)})
    deep: dict[str, Any] = {"x": [1]}
    for _ in range(60):
        deep = {"x": deep}
    with pytest.raises(ValueError, match="50 deep"):
        EventMatch(source="shop", detail=deep)


def test_an_event_of_any_shape_is_compared() -> None:
    for event in (None, "text", 3, [], [{"status": "PAID"}]):
        assert fits({"status": ["PAID"]}, event) is (event == [{"status": "PAID"}])


def test_a_hostile_event_is_compared_in_time_that_grows_with_its_size() -> None:
    """The obvious ways to compare these take hours: an expression that tracks back, an item at a time for an absence."""
    stars = {"a": [{"wildcard": "*a" * 60 + "*b"}]}
    check_pattern(stars)
    assert not fits(stars, {"a": "a" * 100_000})
    items = [{"y": 1, "z": number} for number in range(20_000)]
    assert not fits({"items": {"x": [{"exists": False}], "y": [2]}}, {"items": items})
