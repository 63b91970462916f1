"""Docstrings get plainer: what is counted of them may fall, and never rise."""

from __future__ import annotations

from tests.house.figures import long_summaries, private_prose

MOST_LONG_SUMMARIES = 1_153
MOST_PRIVATE_WORDS_IN_A_THOUSAND = 6.3


def test_summaries_of_more_than_a_line_get_fewer() -> None:
    assert len(long_summaries()) <= MOST_LONG_SUMMARIES, "python -m tests.house.figures --list summaries"


def test_private_words_get_fewer() -> None:
    found, words = private_prose()
    rate = 1000 * len(found) / words
    assert rate <= MOST_PRIVATE_WORDS_IN_A_THOUSAND, "python -m tests.house.figures --list private"


def test_the_toolkit_has_summaries_of_one_line() -> None:
    assert [place for place in long_summaries() if place.startswith("shared/stepward/toolkit/")] == []


SURFACE = (
    "functions/",
    "shared/stepward/cli/",
    "shared/stepward/sdk/",
    "shared/stepward/testing/",
)
"""What users import, type and call."""


def test_what_users_meet_has_plain_summaries_of_one_line() -> None:
    assert [place for place in long_summaries() if place.startswith(SURFACE)] == []
    assert [place for place in private_prose()[0] if place.startswith(SURFACE)] == []


EDGES = (
    "shared/stepward/adapters/",
    "shared/stepward/models/",
    "shared/stepward/runtime/",
    "shared/stepward/tools/",
)
"""What reaches AWS, providers and the outside, and what builds it."""


def test_what_reaches_outside_has_plain_summaries_of_one_line() -> None:
    assert [place for place in long_summaries() if place.startswith(EDGES)] == []
    assert [place for place in private_prose()[0] if place.startswith(EDGES)] == []
