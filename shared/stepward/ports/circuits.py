"""Circuit breakers: who failed too often lately is left alone for a while, by every function that would call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Circuits(Protocol):
    """One circuit a tenant and far end; its state is shared by all functions."""

    def guard(self, tenant: str, far_end: str, call: str, work: Callable[[], T]) -> T:
        """Do the work unless the circuit is open; after a while one caller may try whether the far end is well again.

        Args:
            tenant: Whose circuit it is.
            far_end: Who is asked.
            call: The id of the call that this is an attempt at: however many of its attempts fail, they count as one.
            work: What raises `ToolUnavailable` where the far end failed.

        Raises:
            CircuitOpen: Others' calls failed so often lately that the far end is left alone.
        """
