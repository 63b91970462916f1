"""Patterns mean what they mean on EventBridge."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.triggers.inputs import target_input
from infra.local.triggers.patterns import matches

EVENT: dict[str, Any] = {
    "time": "2026-11-21T08:00:00Z",
    "detail": {
        "state": "Failed",
        "n": 5,
        "ok": True,
        "nothing": None,
        "tags": ["red", "blue"],
        "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
        "ip": "10.0.0.7",
        "path": "in/2026/report.csv",
        "deep": {"er": {"x": 1}},
    },
}


@pytest.mark.parametrize(
    ("detail", "fits"),
    [
        ({"state": ["Failed", "Aborted"]}, True),
        ({"state": ["failed"]}, False),
        ({"state": [{"equals-ignore-case": "failed"}]}, True),
        ({"state": [{"prefix": {"equals-ignore-case": "FAIL"}}]}, True),
        ({"state": [{"anything-but": ["Failed", "Aborted"]}]}, False),
        ({"state": [{"anything-but": {"prefix": "Run"}}]}, True),
        ({"state": [{"anything-but": {"suffix": [".csv", "ed"]}}]}, False),
        ({"n": [{"numeric": [">", 1, "<=", 5]}]}, True),
        ({"n": [{"numeric": ["=", 6]}]}, False),
        ({"state": [{"numeric": ["=", 6]}]}, False),
        ({"n": ["5"]}, False),
        ({"ok": [True]}, True),
        ({"n": [True]}, False),
        ({"nothing": [None]}, True),
        ({"absent": [None]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"state": [{"exists": False}]}, False),
        ({"deep": [{"exists": True}]}, False),
        ({"deep": {"er": {"x": [{"exists": True}]}}}, True),
        ({"tags": ["blue"]}, True),
        ({"tags": [{"anything-but": "blue"}]}, False),
        ({"items": {"sku": ["b"]}}, True),
        ({"items": {"sku": ["c"]}}, False),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"path": [{"wildcard": "in/*/report.*"}]}, True),
        ({"path": [{"wildcard": "in/\\*/report.csv"}]}, False),
        ({"path": [{"suffix": ".csv"}]}, True),
        ({"$or": [{"n": [1]}, {"state": ["Failed"]}]}, True),
        ({"$or": [{"n": [1]}, {"state": ["Done"]}]}, False),
        ({"state": ["Failed"], "n": [1]}, False),
        ({"state": {"deeper": ["x"]}}, False),
    ],
)
def test_a_pattern(detail: dict[str, Any], fits: bool) -> None:
    assert matches({"detail": detail}, EVENT) is fits


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ({"Input": '{"fixed": 1}'}, '{"fixed": 1}'),
        ({"InputPath": "$.detail.items[1].sku"}, '"b"'),
        ({"InputPath": "$.detail['deep'].er"}, '{"x":1}'),
        ({"InputTransformer": {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '"n is <n>"'}}, '"n is 5"'),
        ({"InputTransformer": {"InputTemplate": "<aws.events.event.ingestion-time>"}}, '"2026-11-21T08:00:00Z"'),
        ({"InputTransformer": {"InputTemplate": '{"kept": "<unknown>"}'}}, '{"kept": "<unknown>"}'),
    ],
)  # fmt: skip
def test_an_input(target: dict[str, Any], body: str) -> None:
    assert target_input(target, EVENT, "arn:aws:events:us-east-1:123456789012:rule/r") == body
