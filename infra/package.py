"""`make package`: builds what Lambda would get and says how large it is, because size is start time and has a limit."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.app import ROOT
from infra.bundling import Checkout
from infra.config_errors import DefinitionError, unknown_word
from infra.constructs.callable_tools import tool_words
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.machines import machine_files
from infra.packing import matching_python, pack

# Lambda refuses more than this, layers included.
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024


@dataclass(frozen=True)
class Size:
    """How large one room's package is, as files and as the archive that is uploaded."""

    room: str
    unzipped_bytes: int
    zipped_bytes: int

    def __str__(self) -> str:
        unzipped_mb, zipped_mb = self.unzipped_bytes / 1024**2, self.zipped_bytes / 1024**2
        return f"{self.room:<16} {unzipped_mb:8.1f} MB unzipped {zipped_mb:8.1f} MB zipped"


def chosen(rooms: Sequence[FunctionConfig], names: Sequence[str]) -> list[FunctionConfig]:
    """Pick the rooms that were asked for, or all."""
    by_name = {room.name: room for room in rooms}
    for name in names:
        if name not in by_name:
            raise unknown_word(ROOT / "functions", "room", name, by_name)
    return [by_name[name] for name in names] or list(rooms)


def measure(room: str, folder: Path) -> Size:
    """Weigh a package the way that Lambda does."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    unzipped_bytes = sum(path.stat().st_size for path in files)
    with tempfile.TemporaryFile() as sink:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
        zipped_bytes = sink.tell()
    return Size(room, unzipped_bytes, zipped_bytes)


def run(names: Sequence[str]) -> int:
    """Pack the rooms one by one; one that is too large fails the command, not the deployment."""
    checkout = Checkout.at(ROOT)
    machines = list(machine_files(checkout.statemachines))
    rooms = load_functions(checkout.functions, grant_words(machines) | tool_words(), machines)
    if matching_python() is None:
        sys.stderr.write(
            "No python3.13 found: packages are not compiled, which costs time at each cold start.\n"
        )
    too_large = False
    for room in chosen(rooms, names):
        size = measure(room.name, pack(checkout, room))
        sys.stdout.write(f"{size}\n")
        too_large |= size.unzipped_bytes > UNZIPPED_LIMIT_BYTES
    return 1 if too_large else 0


def main() -> int:
    """Report a mistake in a file of ours as one line."""
    try:
        return run(sys.argv[1:])
    except DefinitionError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
