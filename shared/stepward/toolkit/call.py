"""What a function may know of the call that it serves; a parameter with this type is filled in by the platform."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One call. `id` is the same for every attempt at it: the key by which an idempotent function knows a repeat."""

    tenant: str
    run: str
    id: str
