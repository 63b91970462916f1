"""When a failure is retried, and after how long: one rule for the whole platform."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain import errors
from stepward.domain.errors import ToolUnavailable
from stepward.domain.numbers import Fraction

LONGEST_PAUSE_S: Final = 120
"""The longest pause between two attempts, by a rule or by a server's `Retry-After`."""
LONGEST_CALL_S: Final = 270.0
"""The longest time of all attempts and pauses within one function: less than its timeout."""
LONGEST_IN_PROCESS_S: Final = 2
"""The longest first pause between two attempts that a function waits for itself."""


class Backoff(StrEnum):
    """How the pauses between attempts grow."""

    NONE = "none"
    IMMEDIATE = "immediate"
    CONSTANT = "constant"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class MachinePauses(NamedTuple):
    """A rule's pauses as a state machine makes them."""

    first_s: int
    factor: float
    longest_s: int | None
    """None where they do not grow."""
    is_jittered: bool
    """A machine's jitter takes up to the whole pause."""


class Retry(BaseModel):
    """How often to try in all, and how long to pause; `none` tries once.

    Tried again are timeouts, 429 and 5xx; never a wrong request, a wrong key or a spent budget. A server that says
    `Retry-After` is not asked sooner; if it wants more than the longest pause, it is not asked again at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    strategy: Backoff = Field(
        default=Backoff.NONE,
        description="How the pauses between attempts grow. Where Step Functions makes them (of tasks that are answered later,"
        " and of long pauses), `immediate` is a second and `linear` is constant.",
    )
    max_attempts: int = Field(
        default=3, strict=True, ge=1, le=10, description="How often it is tried in all."
    )
    base_s: Fraction = Field(default=1, ge=0, le=60, description="The first pause, in seconds.")
    max_s: Fraction = Field(
        default=60, ge=0, le=LONGEST_PAUSE_S, description="The longest pause, in seconds."
    )
    exponent_base: Fraction = Field(
        default=2, ge=1, le=10, description="What an exponential pause is multiplied by each time."
    )
    jitter: bool = Field(
        default=False,
        description="Whether chance shortens each pause: by up to a half, and where Step Functions makes it by up to the whole.",
    )

    @property
    def attempts(self) -> int:
        """How often it is tried in total."""
        return 1 if self.strategy is Backoff.NONE else self.max_attempts

    def pause_s(self, attempt: int, random: float = 1.0) -> float:
        """Return the pause in seconds after a failed attempt, counted from 1; `random` is 0 to 1.

        linear: base * attempt; exponential: base * exponent_base ** (attempt - 1). Then the cap, then the jitter,
        which takes away up to a half.
        """
        by_attempt = attempt if self.strategy is Backoff.LINEAR else 0
        grown = by_attempt if self.factor is None else self.factor ** (attempt - 1)
        capped = min(self.base_s * grown, self.max_s)
        return capped * (0.5 + random * 0.5) if self.jitter else capped

    @property
    def factor(self) -> float | None:
        """What each pause is multiplied by; None without pauses, or where they grow linearly."""
        return {Backoff.CONSTANT: 1, Backoff.EXPONENTIAL: self.exponent_base}.get(self.strategy)

    @property
    def is_by_machine(self) -> bool:
        """Whether Step Functions makes the pauses of what a function does.

        The function makes them itself where the first is up to two seconds and all together fit into it, and where
        they are multiplied by nothing, which the machine cannot.
        """
        if self.factor is None or self.attempts == 1:
            return False
        return self.base_s > LONGEST_IN_PROCESS_S or self.pauses_s > LONGEST_PAUSE_S

    @property
    def machine_pauses(self) -> MachinePauses:
        """Return the pauses as Step Functions can make them: whole seconds, at least one.

        They grow by a factor or are all equal.
        """
        first_s, longest_s = max(1, ceil(self.pause_s(1))), max(1, ceil(self.max_s))
        factor = self.factor or 1
        # It takes a cap only where that is more than the first pause, and a pause that does not grow needs none.
        grows = factor > 1 and longest_s > first_s
        return MachinePauses(first_s, factor if grows else 1, longest_s if grows else None, self.jitter)

    def next_pause_s(self, attempt: int, random: float, asked_s: float | None, left_s: float) -> float | None:
        """Return how long to wait before another attempt.

        Args:
            attempt: The number of the one that failed, counted from 1.
            random: Between 0 and 1, for the jitter.
            asked_s: What the server asked for by `Retry-After`; None if it did not.
            left_s: How long the pause may be at most for what time is left.

        Returns:
            Seconds; None where no attempt is left, or where it would come sooner than the server allows.
        """
        if attempt >= self.attempts:
            return None
        pause_s = max(self.pause_s(attempt, random), asked_s or 0)
        return pause_s if pause_s <= min(LONGEST_PAUSE_S, left_s) else None

    def longest_s(self, attempt_s: float) -> float:
        """Return the seconds that all attempts and pauses take at most.

        `attempt_s` is the most that one attempt takes.
        """
        return self.attempts * attempt_s + self.pauses_s

    @property
    def pauses_s(self) -> float:
        """Return the length of all pauses together, without jitter."""
        return sum(self.pause_s(number) for number in range(1, self.attempts))


_HOPELESS = (
    errors.CallerError,
    errors.PolicyStop,
    errors.ToolArgumentInvalid,
    errors.ProviderRefused,
    errors.ContextTooLong,
)


_OF_A_MOMENT = (errors.RateLimited, errors.DeadlineExceeded)
"""Stops by a run's own rules that depend on timing: another run may be quicker, or compete with fewer others."""


def is_transient(code: str) -> bool:
    """Return True if a run that failed with this error may succeed when it is run again.

    Args:
        code: The name of the error that ended the run; Step Functions' own names are taken too.

    Returns:
        False for what stays wrong however often it is tried: a wrong request, a wrong key, a spent budget, a no.
    """
    kind = getattr(errors, code, None)
    if not (isinstance(kind, type) and issubclass(kind, errors.StepwardError)):
        return True
    return issubclass(kind, _OF_A_MOMENT) or not issubclass(kind, _HOPELESS)


_SECONDS: Final = re.compile(r"\d{1,10}(\.\d{1,9})?", re.ASCII)


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Parse the header's value.

    Args:
        header: Seconds (`120`) or a date (`Wed, 21 Oct 2026 07:28:00 GMT`); None where there is none.
        now: From when a date is counted; without it, this moment.

    Returns:
        Seconds, 0 for a date that has passed; None where the header says neither.
    """
    said = (header or "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    try:
        when = parsedate_to_datetime(said)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def asks_to_wait(seconds: float | None) -> str:
    """Return a sentence with when the server wants to be asked again; empty if it did not say."""
    return "" if seconds is None else f" It asks to be called again in {seconds:g} s, not sooner."


def asked_pause_s(error: Exception) -> float | None:
    """Return how long the far end asked to wait; None if it did not."""
    return error.retry_after_s if isinstance(error, ToolUnavailable) else None
