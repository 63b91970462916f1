"""Services behind tools: functions, published tools, large results, and data files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from stepward.domain.tools import ToolFolder


class Functions(Protocol):
    """Calls functions and waits for the answer; a call is never sent twice."""

    def own(self, folder: str, payload: dict[str, Any]) -> Any:
        """Call a folder of the stage's own tools.

        Args:
            folder: The folder's name.
            payload: The JSON payload.

        Returns:
            The function's answer, parsed from JSON.

        Raises:
            ToolUnavailable: No answer came.
            ToolFailed: The function raised.
        """

    def foreign(self, name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
        """Call another function of the account, if it has the tag `stepward:tool`.

        Args:
            name: The function's name or ARN.
            payload: The JSON payload.
            custom: The client context's custom values.

        Returns:
            The function's answer, parsed from JSON.

        Raises:
            ToolUnavailable: No answer came.
            ToolFailed: The function raised, or may not be called.
        """


class PublishedTools(Protocol):
    """The published tools of each folder, for all tenants of the stage."""

    def put(self, folder: ToolFolder) -> None:
        """Replace a folder's entry.

        Args:
            folder: The entry.
        """

    def folder(self, folder: str) -> ToolFolder | None:
        """Read one folder's entry.

        Args:
            folder: The folder's name.

        Returns:
            The entry; None where there is none.
        """

    def folders(self) -> list[ToolFolder]:
        """Read all entries.

        Returns:
            The entries by name.
        """


class ResultStore(Protocol):
    """Large results in the bucket; what is stored for a call never changes."""

    def keep(self, tenant: str, run: str, call: str, body: bytes) -> None:
        """Store a result; storing the same call's twice is one write.

        Args:
            tenant: Whose run.
            run: The run's id.
            call: The call's id.
            body: The result as JSON.
        """

    def read(self, tenant: str, run: str, call: str) -> bytes:
        """Read a result as a whole.

        Args:
            tenant: Whose run.
            run: The run's id.
            call: The call's id.

        Returns:
            The result as JSON.

        Raises:
            NotFound: There is none.
        """


T = TypeVar("T")


class Circuits(Protocol):
    """Circuit breakers, one per tenant and far end, shared by all functions."""

    def guard(self, tenant: str, far_end: str, call: str, work: Callable[[], T]) -> T:
        """Do the work unless the circuit is open; after a pause one caller tries again.

        Args:
            tenant: Whose circuit.
            far_end: What is called.
            call: The call's id: however many of its attempts fail, they count as one.
            work: What to do; raises `ToolUnavailable` where the far end failed.

        Returns:
            What `work` returns.

        Raises:
            CircuitOpen: Calls failed so often lately that the far end is not called for a while.
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
        """Distinguish implementations where what was read is cached."""

    def read(self, tenant: str, path: str, known_version: str | None = None) -> DataFile | None:
        """Read a file.

        Args:
            tenant: Whose file.
            path: The path within the tenant's files.
            known_version: A version that need not be read again; by default the file is read.

        Returns:
            The file; None if it is still at `known_version`.

        Raises:
            NotFound: There is no such file.
        """

    def is_there(self, tenant: str, path: str) -> bool:
        """Return whether a file exists, without reading it.

        Args:
            tenant: Whose file.
            path: The path within the tenant's files.

        Returns:
            True if it exists.
        """

    def list_files(self, tenant: str, prefix: str, limit: int, after: str | None = None) -> list[KeptFile]:
        """List files by key.

        Args:
            tenant: Whose files.
            prefix: The beginning of the keys.
            limit: How many at most.
            after: The key after which to begin; by default the list's beginning.

        Returns:
            The files.
        """

    def write(self, tenant: str, path: str, body: bytes, content_type: str) -> str:
        """Store a file in place of an existing one.

        Args:
            tenant: Whose file.
            path: The path within the tenant's files.
            body: The content.
            content_type: The media type.

        Returns:
            The new version.
        """
