"""What a rule makes of an event for its target is what EventBridge makes."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.triggers.bus import target_input

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
