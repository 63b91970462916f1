"""List, read and write a tenant's data files, which tools read and triggers watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepward.agents.show_runs import page_size
from stepward.domain.data_paths import MOST_WRITTEN_BYTES, RULE, is_data_path
from stepward.domain.errors import InvalidRequest
from stepward.ports.tool_services import DataFile, Datasets


@dataclass(frozen=True)
class DataFiles:
    """The use cases behind `/data`."""

    datasets: Datasets

    def list(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List files by key.

        Args:
            tenant: Whose files.
            query: `prefix` of the keys (default: all), `limit` (1 to 100, 20 by default), `cursor` (the last key shown).

        Returns:
            `files` with key, size_bytes, version and changed_at, and `next_cursor`; None at the end.

        Raises:
            InvalidRequest: The prefix or the cursor leads out of the tenant's files.
        """
        prefix, cursor = query.get("prefix", ""), query.get("cursor")
        if prefix and not is_data_path(prefix.removesuffix("/") or "/"):
            raise _refused("prefix", prefix)
        if cursor is not None and not is_data_path(cursor):
            raise InvalidRequest(
                "the cursor cannot be read.", field="cursor", fix="use `next_cursor` as it came"
            )
        limit = page_size(query.get("limit"))
        found = self.datasets.list_files(tenant, prefix, limit + 1, cursor)
        more = len(found) > limit
        return {
            "files": [one.model_dump(mode="json") for one in found[:limit]],
            "next_cursor": found[limit - 1].key if more else None,
        }

    def read(self, tenant: str, key: str) -> DataFile:
        """Read a file.

        Raises:
            InvalidRequest: The key is no path of a file, or the file is too large for an answer.
            NotFound: There is no such file.
        """
        _check(key)
        file = self.datasets.read(tenant, key)
        assert file is not None  # no version was known
        if len(file.body) > MOST_WRITTEN_BYTES:
            raise InvalidRequest(
                f"{key} has {len(file.body):,} bytes; an answer carries {MOST_WRITTEN_BYTES:,}.",
                field="key",
                fix="read it from the data bucket",
            )
        return file

    def write(self, tenant: str, key: str, body: bytes, content_type: str | None) -> dict[str, Any]:
        """Store a file in place of an existing one, and return its key, size and version.

        A trigger on its prefix fires as for any other upload.

        Raises:
            InvalidRequest: The key is no path of a file, or the body has more than 4,000,000 bytes.
        """
        _check(key)
        if len(body) > MOST_WRITTEN_BYTES:
            raise InvalidRequest(
                f"the file has {len(body):,} bytes; a request carries {MOST_WRITTEN_BYTES:,}.",
                field="body",
                fix="upload it to the data bucket itself",
            )
        version = self.datasets.write(tenant, key, body, content_type or "application/octet-stream")
        return {"key": key, "size_bytes": len(body), "version": version}


def _check(key: str) -> None:
    if not is_data_path(key):
        raise _refused("key", key)


def _refused(field: str, value: str) -> InvalidRequest:
    return InvalidRequest(f"{value[:80]!r} is no {field} of data files.", field=field, fix=f"write {RULE}")
