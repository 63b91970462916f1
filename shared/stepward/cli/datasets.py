"""Data sets that stand beside a workflow's file: what its tasks look up is what a person reads there, and edits."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from stepward.cli import screen
from stepward.cli.data import content_type_of
from stepward.domain.data_paths import MOST_WRITTEN_BYTES
from stepward.sdk import ApiError, Stepward

FOLDER: Final = "datasets"
_NOT_FOUND: Final = 404


def put_datasets(stepward: Stepward, given: str, *, as_json: bool) -> list[str]:
    """Write the files of the folder `datasets` beside a workflow's file that are not there as they stand.

    Args:
        stepward: The client.
        given: The workflow's file; of standard input nothing is known.
        as_json: Say nothing of it.

    Returns:
        The keys that were written.
    """
    folder = Path(given).parent / FOLDER
    if given == "-" or not folder.is_dir():
        return []
    found = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    written = [key for file in found if (key := _put(stepward, file))]
    if written and not as_json:
        screen.say(f"Put into the tenant's data: {', '.join(written)}", style="dim")
    return written


def _put(stepward: Stepward, file: Path) -> str | None:
    """Write one file; None if it is there already, or too large to go through the API."""
    key, body = f"{FOLDER}/{file.name}", file.read_bytes()
    if len(body) > MOST_WRITTEN_BYTES:
        screen.complain(
            f"{file} has more than {MOST_WRITTEN_BYTES:,} bytes: copy it into the data bucket yourself."
        )
        return None
    if _kept(stepward, key) == body:
        return None
    stepward.data.write(key, body, content_type_of(file))
    return key


def _kept(stepward: Stepward, key: str) -> bytes | None:
    try:
        return stepward.data.read(key)
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return None
