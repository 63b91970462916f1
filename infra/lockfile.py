"""The lock's packages, versions and hashes, which functions pack without resolving again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.config_errors import DefinitionError, unknown_word

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==")
_VIA = re.compile(
    r"^\s+#\s+(?:via\s+)?(?P<parent>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?(?P<root>\s+\(.*\))?\s*$"
)


@dataclass(frozen=True)
class Pin:
    """One entry of the lock: its lines as they stand, and which packages asked for it."""

    name: str
    lines: tuple[str, ...]
    parents: frozenset[str]


def canonical(name: str) -> str:
    """Return a distribution's name as the index has it, with `-` for `_`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(lock: Path) -> list[Pin]:
    """Read the lock's entries with the `via` comments, which hold the graph of who needs whom."""
    pins: list[Pin] = []
    block: list[str] = []
    for line in [*lock.read_text(encoding="utf-8").splitlines(), ""]:
        if block and not line.startswith((" ", "\t")):
            pins.append(_pin(block))
            block = []
        if _PIN.match(line) or block:
            block.append(line)
    return pins


def _pin(block: list[str]) -> Pin:
    match = _PIN.match(block[0])
    assert match is not None
    vias = (_VIA.match(line) for line in block[1:])
    parents = frozenset(canonical(via["parent"]) for via in vias if via and not via["root"])
    lines = tuple(line for line in block if not line.lstrip().startswith("#"))
    return Pin(canonical(match["name"]), lines, parents)


def closure(pins: Iterable[Pin], packages: Iterable[str], asked_in: Path) -> list[Pin]:
    """Follow the graph from the named packages; what the lock does not know cannot be packed."""
    pins = list(pins)
    known = {pin.name for pin in pins}
    wanted = {canonical(package) for package in packages}
    for package in sorted(wanted - known):
        raise unknown_word(asked_in, "package", package, known)
    while True:
        more = {pin.name for pin in pins if pin.parents & wanted} - wanted
        if not more:
            return [pin for pin in pins if pin.name in wanted]
        wanted |= more


def restricted(lock: Path, packages: Iterable[str], asked_in: Path) -> str:
    """Write the part of the lock that one function needs, with markers and hashes as they are."""
    pins = closure(read_lock(lock), packages, asked_in)
    if not pins:
        raise DefinitionError(
            f"{asked_in}: nothing of {lock} is needed, which cannot be: stepward needs pydantic"
        )
    return "\n".join(line for pin in pins for line in pin.lines) + "\n"
