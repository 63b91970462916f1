"""What tools reach: functions, published tools, large results, and a tenant's data files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from stepward.domain.tools import ToolFolder


class Functions(Protocol):
    """Calls functions and waits for the answer; a call is never sent twice.

    Raises `ToolUnavailable` when no answer came, `ToolFailed` when the function raised or may not be called.
    """

    def own(self, folder: str, payload: dict[str, Any]) -> Any:
        """Call a folder of the stage's own tools."""

    def foreign(self, name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
        """Call another function of the account, if it has the tag `stepward:tool`."""


class PublishedTools(Protocol):
    """One entry a folder, for all tenants of the stage."""

    def put(self, folder: ToolFolder) -> None:
        """Replace what a folder offers."""

    def folder(self, folder: str) -> ToolFolder | None:
        """Read one folder's entry."""

    def folders(self) -> list[ToolFolder]:
        """Read all entries, by name."""


class ResultStore(Protocol):
    """Large results in the bucket; what is kept under a call never changes."""

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Keep a result's JSON; the same call kept twice is one result."""

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read it back whole. Raises `NotFound` when there is none."""


T = TypeVar("T")


class Circuits(Protocol):
    """One circuit a tenant and far end; its state is shared by all functions."""

    def guard(self, tenant: str, far_end: str, call: str, work: Callable[[], T]) -> T:
        """Do the work unless the circuit is open; after a pause one caller tries it again.

        Args:
            tenant: Whose circuit it is.
            far_end: Who is asked.
            call: The id of the call that this is an attempt at: however many of its attempts fail, they count as one.
            work: What raises `ToolUnavailable` where the far end failed.

        Raises:
            CircuitOpen: Others' calls failed so often lately that the far end is left alone.
        """


class DataFile(BaseModel):
    """A file's bytes with its version: equal versions have equal bytes."""

    model_config = ConfigDict(defer_build=True)

    version: str
    body: bytes
    content_type: str = "application/octet-stream"


class KeptFile(BaseModel):
    """A file in a list."""

    model_config = ConfigDict(defer_build=True)

    key: str
    size_bytes: int
    version: str
    changed_at: str


class Datasets(Protocol):
    """The tenants' part of the data bucket."""

    def __hash__(self) -> int:
        """Tell one from another where what was read is kept."""

    def read(self, tenant: str, path: str, known_version: str | None = None) -> DataFile | None:
        """Read a file; None if it is still at `known_version`.

        Raises:
            NotFound: There is no such file.
        """

    def is_there(self, tenant: str, path: str) -> bool:
        """Tell whether a file exists, without reading it."""

    def list_files(self, tenant: str, prefix: str, limit: int, after: str | None = None) -> list[KeptFile]:
        """List files by key: those whose key begins with `prefix` and comes after `after`."""

    def write(self, tenant: str, path: str, body: bytes, content_type: str) -> str:
        """Keep a file in place of the one that was there, and return its version."""
