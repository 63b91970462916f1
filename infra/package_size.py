"""Weigh what Lambda would get, and refuse what is too large: size is start time, and has a limit."""

from __future__ import annotations

import math
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.config_errors import DefinitionError
from infra.function_configs import FunctionConfig

MOST_ZIP_MB: Final = 10
"""What a package may have zipped where its `function.toml` does not say; a folder of tools may have any.

Compiled modules do not count: whether there are any depends on the machine that builds, and a limit must not.
"""
MOST_UNZIPPED_MB: Final = 250
"""Lambda refuses more than this, layers included."""
_MB: Final = 1024**2
_PARTS_SHOWN: Final = 5
_COMPILED: Final = ".pyc"


@dataclass(frozen=True)
class Size:
    """How large one function's package is, as files and as the archive that is uploaded."""

    function: str
    unzipped_bytes: int
    zipped_bytes: int
    compiled_bytes: int
    """How many of the zipped bytes are compiled modules."""
    parts: Mapping[str, int]
    """Zipped bytes of each file and folder at the top, without compiled modules."""

    def __str__(self) -> str:
        unzipped_mb, zipped_mb = self.unzipped_bytes / _MB, self.zipped_bytes / _MB
        compiled = f", {self.compiled_bytes / _MB:.1f} of it compiled" if self.compiled_bytes else ""
        return f"{self.function:<20} {unzipped_mb:8.1f} MB unzipped {zipped_mb:8.1f} MB zipped{compiled}"

    @property
    def largest(self) -> str:
        """Name the largest parts, largest first."""
        most = Counter(self.parts).most_common(_PARTS_SHOWN)
        return ", ".join(f"{name} {zipped_bytes / _MB:.1f}" for name, zipped_bytes in most)


def measure(function: str, folder: Path) -> Size:
    """Weigh a package the way that Lambda does."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts: Counter[str] = Counter()
    with tempfile.TemporaryFile() as sink:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
            entries = archive.infolist()
        zipped_bytes = sink.tell()
    for entry in entries:
        part = _COMPILED if entry.filename.endswith(_COMPILED) else entry.filename.partition("/")[0]
        parts[part] += entry.compress_size
    compiled_bytes = parts.pop(_COMPILED, 0)
    return Size(function, sum(path.stat().st_size for path in files), zipped_bytes, compiled_bytes, parts)


def refuse_too_large(function: FunctionConfig, size: Size) -> None:
    """Refuse a package that is larger than its function or Lambda allows.

    Raises:
        DefinitionError: It is too large; the message has its size, its largest parts and how to make it smaller.
    """
    zipped_mb = (size.zipped_bytes - size.compiled_bytes) / _MB
    unzipped_mb = size.unzipped_bytes / _MB
    most_mb = function.max_zip_mb or (math.inf if function.tools else MOST_ZIP_MB)
    if unzipped_mb > MOST_UNZIPPED_MB:
        found, fix = f"{unzipped_mb:.1f} MB unzipped, and Lambda takes {MOST_UNZIPPED_MB}", ""
    elif zipped_mb > most_mb:
        found = f"{zipped_mb:.1f} MB zipped, and may have {most_mb}"
        fix = f", or allow more by `max_zip_mb = {math.ceil(zipped_mb)}`"
    else:
        return
    raise DefinitionError(
        f"functions/{function.name}/function.toml: the package of {function.name!r} has {found}. "
        f"Its largest parts, in MB zipped: {size.largest}. "
        f"Take what it does not need out of `packages` and `aws_services`{fix}"
    )
