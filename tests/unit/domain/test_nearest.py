"""The name that somebody probably meant."""

from __future__ import annotations

import pytest

from stepward.domain.nearest import choices_with_nearest, did_you_mean, nearest


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("refnud", "refund"),
        ("ref", "refund"),
        ("order_lookup_x", "order_lookup"),
        ("zebra", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_found_or_none(written: str, found: str | None) -> None:
    assert nearest(written, iter(["refund", "order_lookup", "refund_all"])) == found


def test_of_many_names_those_of_about_the_same_length_are_compared() -> None:
    known = [f"task_{number:03}" for number in range(1_000)]
    assert nearest("tsak_417", known) == "task_417"


def test_a_fix_names_it_or_says_what_to_do_else() -> None:
    assert did_you_mean("refnud", ["refund"], "remove it") == "did you mean 'refund'?"
    assert did_you_mean("zebra", ["refund"], "remove it") == "remove it"
    assert (
        choices_with_nearest("refnud", ["refund"], "use one of refund")
        == "did you mean 'refund'? use one of refund"
    )
    assert choices_with_nearest("zebra", ["refund"], "use one of refund") == "use one of refund"
