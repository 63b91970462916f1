"""Sums of costs are exact, whatever the order and the grouping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.costs import CostBy, CostLine, added_up, grouped, in_sum
from tests.support.draws import drawn

LINES = st.lists(
    st.builds(
        CostLine,
        day=st.sampled_from(["2026-01-01", "2026-01-02"]),
        agent=st.sampled_from(["a1", "a2"]),
        model=st.sampled_from(["m1", "m2"]),
        runs=st.integers(0, 5),
        input_tokens=st.integers(0, 10**9),
        model_usd_micros=st.integers(0, 10**12),
        tool_usd_micros=st.integers(0, 10**12),
        aws_usd_micros=st.integers(0, 10**12),
        response_cache_hits=st.integers(0, 5),
        saved_usd_micros=st.integers(0, 10**12),
    ),
    max_size=12,
)


@drawn(100)
@given(LINES)
def test_every_grouping_has_the_same_sum(lines: list[CostLine]) -> None:
    whole = in_sum(lines)
    for by in CostBy:
        assert in_sum(grouped(lines, by).values()) == whole
    assert in_sum(added_up(lines)) == whole


@drawn(100)
@given(LINES)
def test_a_line_stands_once(lines: list[CostLine]) -> None:
    names = [(line.day, line.agent, line.model) for line in added_up(lines)]
    assert names == sorted(set(names))


def test_the_total_is_what_everybody_is_paid() -> None:
    line = CostLine(day="d", agent="a", model="m", model_usd_micros=1, tool_usd_micros=2, aws_usd_micros=4)
    assert line.total_usd_micros == 7


def test_what_was_saved_is_not_spent() -> None:
    assert CostLine(day="d", response_cache_hits=1, saved_tokens=9, saved_usd_micros=5).total_usd_micros == 0
