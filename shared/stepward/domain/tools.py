"""What the platform knows about a tool before it runs it."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What a second execution of the same call would do in the world."""

    NONE = "none"
    """Only reads: may be repeated freely."""
    IDEMPOTENT = "idempotent"
    """Repeats are harmless as long as they carry the same call id."""
    ONCE = "once"
    """Must never be repeated: marked before it runs; a crash after the mark gives `outcome_unknown`."""


class Placement(StrEnum):
    """Where a tool runs."""

    INLINE = "inline"
    """Within the advance itself: quick, and of effect `none` or `idempotent`."""
    REMOTE = "remote"
    """In a function of its own, one state of the machine a call."""
    AWAITED = "awaited"
    """Somewhere else: the run waits until an agent, a person or a service answers."""


OUTCOME_UNKNOWN = "outcome_unknown"
"""The result's error when a `once` tool's function died after its mark: nobody may try it again."""
