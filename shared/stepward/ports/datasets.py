"""A tenant's data sets: the files that tools look things up in."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


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
        """Read a file; None when it is still at `known_version`. Raises `NotFound` when it does not exist."""

    def is_there(self, tenant: str, path: str) -> bool:
        """Tell whether a file exists, without reading it."""

    def list_files(self, tenant: str, prefix: str, limit: int, after: str | None = None) -> list[KeptFile]:
        """List files by key: those whose key begins with `prefix` and comes after `after`."""

    def write(self, tenant: str, path: str, body: bytes, content_type: str) -> str:
        """Keep a file in place of the one that was there, and return its version."""
