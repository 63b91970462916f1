"""How a run ends by each fault of its model's provider: the one table that tests and `shared/docs/models.md` are held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NO_CONNECTION: Final = "no connection"
NO_KEY: Final = "no key"
NOWHERE: Final = "404"
REDIRECT: Final = "redirect"
LEFT: Final = "left"
UNFIT: Final = "unfit"
"""What the provider on loopback cannot play itself: who runs the test brings it about."""


@dataclass(frozen=True)
class Ends:
    """One row of the page.

    Args:
        said: The row's first cell.
        faults: What the provider plays; `""` is a reply with nothing wrong.
        code: What the run's end, or its wait, is named by; None where nothing is named.
        passes: Whether the run completes once the fault is over.
        lasting: How a run ends by a fault that stays: None where a run meets it once only.
        attempts: How often a fault is met before the machine waits.
        waits_s: How long the machine waits then; None where the run goes on at once.
        names: What single faults of the row are named by.
    """

    said: str
    faults: tuple[str, ...]
    code: str | None = None
    passes: bool = False
    lasting: str | None = None
    attempts: int = 1
    waits_s: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)


REPLIES: Final = (
    Ends("text", ("",), passes=True),
    Ends("text that does not fit the `output_schema`", (UNFIT,), "OutputInvalid", True, "FAILED"),
    Ends("nothing at all", ("empty",), "OutputEmpty", True, "FAILED"),
    Ends("calls", ("wrong_arguments", "unknown_tool", "duplicate_ids"), passes=True),
    Ends("calls whose arguments cannot be read", ("unreadable_arguments",), passes=True),
    Ends("cut at `limits.max_output_tokens`", ("length",), "OutputTruncated"),
    Ends("the model declines", ("refusal",), "ModelRefused"),
    Ends("the provider's filter holds it back", ("content_filter",), "ContentFiltered"),
    Ends("the context window is full", ("context",), "ContextTooLong"),
    Ends("the provider makes a pause of its own", ("pause",), passes=True),
    Ends("over 2 MB", ("overlong",), "OutputMalformed"),
    Ends("the run was cancelled or taken over", (LEFT,), "RunCancelled"),
)
AWAY: Final = ("408", "409", "500", "503", "504", "html", "html_ok", "hang", NO_CONNECTION)
NO_REPLIES: Final = (
    Ends(
        "408, 409, 5xx, no connection, HTML where JSON should be",
        AWAY,
        "ProviderUnavailable",
        passes=True,
        lasting="RATE_LIMITED",
        attempts=3,
        waits_s=10,
    ),
    Ends(
        "429, 529",
        ("429", "529"),
        "ProviderThrottled",
        passes=True,
        lasting="RATE_LIMITED",
        waits_s=7,
    ),
    # The provider on loopback sends nothing so large: `contract/test_unbounded_servers.py` has it.
    Ends("over 64 MB on the wire, or 8 MB without an end of line, unpacked", (), passes=True),
    Ends(
        "cut, stalled, an error within the stream",
        ("cut", "stall", "stream_error", "malformed_json"),
        "StreamCut",
        passes=True,
        lasting="FAILED",
        waits_s=2,
    ),
    Ends("400, 402, no credit, 3xx", ("400", "quota", REDIRECT), "ProviderRefused"),
    Ends(
        "no key, 401 or 403, 404",
        (NO_KEY, "401", "403", NOWHERE),
        "KeyMissing",
        names={"401": "KeyRefused", "403": "KeyRefused", NOWHERE: "ModelUnknown"},
    ),
    Ends("413, a prompt that is too long", ("413",), "ContextTooLong"),
)
ENDS: Final = (*REPLIES, *NO_REPLIES)


def code_of(row: Ends, fault: str) -> str | None:
    """Name what a run's end, or its wait, says of a fault."""
    return row.names.get(fault, row.code)
