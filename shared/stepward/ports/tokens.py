"""Task tokens: how to wake a machine that waits. They never leave the platform."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.runs import RunKey

SLOT_CALL = "slot"
RESUME_CALL = "resume"
"""What a machine may wait for besides a call's result: a slot, and the word to go on."""


class Tokens(Protocol):
    """The newest token of each wait."""

    def keep(self, key: RunKey, call: str, token: str, made: str = "") -> bool:
        """Keep the token with which a wait ends, in place of an older one; False if a newer one is kept.

        `made` sorts tokens by when the machine made them; without it the token that comes last is the newest.
        """

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a wait's token, strongly consistent; None while the machine does not wait yet."""
