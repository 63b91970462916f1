"""When something that failed is tried again, and after how long; the same rule wherever the platform retries."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Backoff(StrEnum):
    """How the pauses between attempts grow."""

    NONE = "none"
    IMMEDIATE = "immediate"
    CONSTANT = "constant"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class Retry(BaseModel):
    """How often to try in all, and how long to pause; `none` tries once.

    Tried again are timeouts, 429 and 5xx; never a wrong request, a wrong key or a spent budget.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: Backoff = Field(default=Backoff.NONE, description="How the pauses between attempts grow.")
    max_attempts: int = Field(
        default=3, strict=True, ge=1, le=10, description="How often it is tried in all."
    )
    base_s: float = Field(default=1, ge=0, le=60, description="The first pause, in seconds.")
    max_s: float = Field(default=60, ge=0, le=120, description="The longest pause, in seconds.")
    exponent_base: float = Field(
        default=2, ge=1, le=10, description="What an exponential pause is multiplied by each time."
    )
    jitter: bool = Field(default=False, description="Whether chance takes away up to half of each pause.")

    @property
    def attempts(self) -> int:
        """How often it is tried in all."""
        return 1 if self.strategy is Backoff.NONE else self.max_attempts

    def pause_s(self, attempt: int, random: float = 1.0) -> float:
        """Tell how long to wait after failed attempt `attempt`, counted from 1; `random` lies between 0 and 1.

        linear: base * attempt; exponential: base * exponent_base ** (attempt - 1). Then the cap, then the jitter,
        which takes away up to a half.
        """
        grown = {
            Backoff.CONSTANT: 1.0,
            Backoff.LINEAR: float(attempt),
            Backoff.EXPONENTIAL: self.exponent_base ** (attempt - 1),
        }.get(self.strategy, 0.0)
        capped = min(self.base_s * grown, self.max_s)
        return capped * (0.5 + random * 0.5) if self.jitter else capped

    def longest_s(self, attempt_s: float) -> float:
        """The most time that all attempts and pauses take together, when one attempt takes `attempt_s` at most."""
        return self.attempts * attempt_s + sum(self.pause_s(n) for n in range(1, self.attempts))
