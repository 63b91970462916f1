"""Paths of a tenant's data files: a path can never climb out of the tenant's own part."""

from __future__ import annotations

from typing import Final

MOST_PATH_BYTES: Final = 500
MOST_WRITTEN_BYTES: Final = 4_000_000
"""What fits into one request to a function as base64. S3 itself takes larger files."""
RULE: Final = "a path within the tenant's data, such as datasets/orders.csv"


def is_data_path(path: str) -> bool:
    """Return True if a path names a file within the tenant's data.

    It has no empty part, no `.` or `..`, only printable characters, and 500 bytes at most.
    """
    parts = path.split("/")
    is_short = len(path.encode("utf-8", "replace")) <= MOST_PATH_BYTES
    return is_short and path.isprintable() and not any(part.strip() in ("", ".", "..") for part in parts)
