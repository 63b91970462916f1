"""List, read and write the tenant's data files, which tools read and triggers watch."""

from __future__ import annotations

from typing import Any, TypedDict, cast
from urllib.parse import quote

from stepward.domain.data_paths import RULE, is_data_path
from stepward.sdk.errors import BadCall
from stepward.sdk.transport import Transport


class DataFile(TypedDict):
    """A file in a list; `version` changes with its content."""

    key: str
    size_bytes: int
    version: str
    changed_at: str


class DataFilePage(TypedDict):
    """Files by key; `next_cursor` asks for the page after it, None at the end."""

    files: list[DataFile]
    next_cursor: str | None


class WrittenFile(TypedDict):
    """What became of a file that was written."""

    key: str
    size_bytes: int
    version: str


class DataClient:
    """List, read and write data files: `stepward.data`.

    Example:
        >>> stepward.data.write("notes/example.txt", b"hello", "text/plain")["size_bytes"]
        5
        >>> stepward.data.read("notes/example.txt")
        b'hello'
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(
        self, prefix: str | None = None, *, limit: int | None = None, cursor: str | None = None
    ) -> DataFilePage:
        """List files by key, a page at a time.

        Args:
            prefix: Only keys that begin so, such as `datasets/`.
            limit: How many a page has, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page.
        """
        query: dict[str, Any] = {"prefix": prefix, "limit": limit, "cursor": cursor}
        return cast("DataFilePage", self._wire.get("/data", query))

    def read(self, key: str) -> bytes:
        """Return a file's bytes.

        Args:
            key: Its path within the tenant's data, such as `datasets/orders.csv`.

        Returns:
            The content.

        Raises:
            ApiError: `NotFound`, or `InvalidRequest` for a file of more than 4,000,000 bytes.
            BadCall: The key is not a path of a file.
        """
        return self._wire.get_bytes(_path(key))

    def write(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> WrittenFile:
        """Write a file, replacing what was there; a trigger on its prefix fires.

        Args:
            key: Its path within the tenant's data, such as `datasets/orders.csv`.
            body: At most 4,000,000 bytes.
            content_type: Its type, such as `text/csv`. Default: application/octet-stream.

        Returns:
            Its key, size and version.

        Raises:
            ApiError: It was refused; `field` names what to change.
            BadCall: The key is not a path of a file.
        """
        return cast("WrittenFile", self._wire.put_bytes(_path(key), body, content_type))


def _path(key: str) -> str:
    if not is_data_path(key):
        raise BadCall(f"{key!r} is not a key of a data file.", f"Write {RULE}.")
    return f"/data/{quote(key)}"
