"""`Retry-After` in all spellings that HTTP allows, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stepward.domain.retries import asks_to_wait, retry_after_s

NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 4 ", 4), ("0", 0), ("1.5", 1.5),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30), ("Wednesday, 21-Oct-26 07:29:00 GMT", 60), ("Wed Oct 21 07:28:05 2026", 5),
        ("Wed, 21 Oct 2026 09:28:30 +0200", 30), ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (None, None), ("", None), ("soon", None), ("-5", None), ("\u0665", None), ("1e3", None), ("1_0", None), ("NaN", None),
        ("99999999999999", None), ("Wed, 99 Oct 2026 07:28:00 GMT", None), ("Wed, 21 Oct 99999 07:28:00 GMT", None),
    ],
)  # fmt: skip
def test_the_header(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_it_is_said_in_a_sentence() -> None:
    assert asks_to_wait(None) == ""
    assert "in 3600 s" in asks_to_wait(3_600)
