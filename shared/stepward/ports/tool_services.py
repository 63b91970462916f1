"""What tools stand on: functions, published tools, large results, circuit breakers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from stepward.domain.tools import ToolFolder


class Functions(Protocol):
    """Calls functions and waits for the answer; a call is never sent twice.

    Raises `ToolUnavailable` when no answer came, `ToolFailed` when the function raised or may not be called.
    """

    def own(self, folder: str, payload: dict[str, Any]) -> Any:
        """Call a folder of the stage's own tools."""

    def foreign(self, name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
        """Call another function of the account, if it carries the tag `stepward:tool`; `custom` is its client context."""


class PublishedTools(Protocol):
    """One entry a folder, for all tenants of the stage."""

    def put(self, folder: ToolFolder) -> None:
        """Replace what a folder offers."""

    def folder(self, folder: str) -> ToolFolder | None:
        """Read one folder's entry."""

    def folders(self) -> list[ToolFolder]:
        """Read all entries, by name."""


class ResultStore(Protocol):
    """The tenants' part of the bucket for large results; what is kept under a call never changes."""

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Keep a result's JSON; the same call kept twice is one result."""

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read it back whole. Raises `NotFound` when there is none."""


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
