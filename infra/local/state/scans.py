"""What is kept by looking, not by listening: objects, messages and executions change in many ways, and are compared."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple, Protocol

from infra.local.state.folder import DataFolder, Unit


class Seen(NamedTuple):
    """One thing, a mark that changes with it, and how to write it."""

    unit: Unit
    mark: Hashable
    write: Callable[[], bytes]


class Source(Protocol):
    """One kind of thing on the laptop's AWS."""

    kind: str

    def scan(self) -> Iterator[Seen]:
        """Look at everything of the kind."""

    def restore(self, unit: Unit, content: Any) -> Hashable | None:
        """Put a kept thing back; give its mark, or None where there is no home for it any more."""


class Comparison:
    """Keep what differs from what was last seen of one source."""

    def __init__(self, source: Source, folder: DataFolder) -> None:
        """Begin with nothing seen."""
        self._source = source
        self._folder = folder
        self._marks: dict[Unit, Hashable] = {}

    def remember(self, unit: Unit, mark: Hashable) -> None:
        """Take a thing as kept."""
        self._marks[unit] = mark

    def keep(self) -> None:
        """Look, and write what is new, what has changed and what has gone, in one transaction."""
        seen = {found.unit: found for found in self._source.scan()}
        changes: dict[Unit, bytes | None] = {
            unit: found.write() for unit, found in seen.items() if self._marks.get(unit) != found.mark
        }
        changes |= {unit: None for unit in self._marks if unit not in seen}
        if changes:
            self._folder.write(changes)
        self._marks = {unit: found.mark for unit, found in seen.items()}


_BYTES = "$bytes"


def dump(value: Any) -> bytes:
    """Write a value."""
    return json.dumps(value, default=_tagged, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def load(text: bytes) -> Any:
    """Read what `dump` wrote."""
    return json.loads(text.decode("utf-8", "surrogatepass"), object_hook=_untagged)


def _tagged(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    raise TypeError(f"a {type(value).__name__} cannot be kept")


def _untagged(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[_BYTES]) if value.keys() == {_BYTES} else value
