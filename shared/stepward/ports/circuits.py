"""Circuit breakers: who failed too often lately is left alone for a while, by every function that would call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Circuits(Protocol):
    """One circuit a tenant and far end; its state is shared by all functions."""

    def guard(self, tenant: str, far_end: str, work: Callable[[], T]) -> T:
        """Do the work unless the circuit is open, which raises `CircuitOpen`; `ToolUnavailable` counts against it.

        After a while one caller may try again: if that goes well, the circuit is closed, else it stays open.
        """
