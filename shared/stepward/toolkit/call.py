"""What a function may know of the call that it serves; a parameter with this type is filled in by the platform."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One call; the platform fills in a parameter of this type, and models do not see it.

    Attributes:
        tenant: Whose agent calls.
        run: The run's id.
        id: The same for every attempt at one call: the key by which an idempotent function knows a repeat.
    """

    tenant: str
    run: str
    id: str
