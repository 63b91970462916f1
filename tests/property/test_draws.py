"""A sample is small and covers evenly; a soak draws more by one factor, and what is no factor is refused."""

from __future__ import annotations

import pytest

from tests.support.draws import VARIABLE, drawn, factor, fixed, is_soak, sampled, times


def test_a_sample_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (is_soak(), factor(), drawn(100).max_examples) == (False, 1, 25)
    assert [times(number) for number in (1, 10, 30, 41, 43, 150)] == [1, 10, 10, 11, 11, 38]
    assert fixed(100, 30) == 30
    parts = [list(sampled(range(12), 3, first)) for first in range(6)]
    assert parts[0] == [0, 6]
    assert sorted(place for part in parts for place in part) == list(range(12))


@pytest.mark.parametrize(("said", "examples", "places"), [("1", 100, [0, 3, 6, 9]), ("2", 200, [*range(10)])])
def test_a_soak_draws_more(
    monkeypatch: pytest.MonkeyPatch, said: str, examples: int, places: list[int]
) -> None:
    monkeypatch.setenv(VARIABLE, said)
    assert (is_soak(), drawn(100).max_examples, list(sampled(range(10), 3))) == (True, examples, places)


def test_a_whole_soak_leaves_no_place_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "10")
    assert (drawn(100).max_examples, fixed(100, 30)) == (1_000, 100)
    assert all(list(sampled(range(10), 3, first)) == list(range(10)) for first in range(3))


@pytest.mark.parametrize("said", ["0", "-1", "many", "", "1.5"])
def test_what_is_no_factor_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(ValueError, match="give a whole number from 1"):
        factor()
