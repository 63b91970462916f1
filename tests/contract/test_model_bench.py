"""The bench of model calls asks both ways, and the same."""

from __future__ import annotations

import pytest

from stepward.testing.model_bench import compare

pytestmark = pytest.mark.enable_socket


def test_both_ways_are_asked_and_compared() -> None:
    found = compare(calls=2, latency_ms=0)
    assert (found["calls"], found["latency_ms"]) == (2, 0)
    assert found["ratio"] == pytest.approx(found["platform_ms"] / found["bare_ms"], rel=0.05)
