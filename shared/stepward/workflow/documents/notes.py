"""What spelling a document out leaves behind: where things were written, and what could not be taken as it stood."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Document, Path
from stepward.workflow.documents.names import MAY_BE_NULL


@dataclass(frozen=True)
class Place:
    """A mapping that is being spelled out: where it will be kept, where it was written, and whose it is."""

    at: Path
    source: Path
    task: str | None = None


@dataclass
class Notes:
    """Collected while the spelling goes down a document."""

    document: Document
    origins: dict[Path, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def moved(self, place: Place, name: str | int, was: str) -> None:
        """Remember under which name a field was written."""
        self.origins[(*place.at, name)] = (*place.source, was)

    def tell(self, place: Place, name: str, code: str, detail: str, fix: str) -> None:
        """Note a problem at a field as it was written."""
        problem = Problem(code=code, detail=detail, fix=fix, task=place.task, field=name)
        self.problems.append(self.document.problem((*place.source, name), problem))

    def renamed(
        self, given: Mapping[str, Any], names: Mapping[str, str], known: Collection[str], place: Place
    ) -> dict[str, Any]:
        """Give a mapping's fields their names; a field that is said under two is noted, and the first is kept.

        A known field that is null counts as not given.
        """
        said: dict[str, Any] = {}
        first: dict[str, str] = {}
        for written, value in given.items():
            name = names.get(written, written)
            if value is None and name not in MAY_BE_NULL and (name in known or written in names):
                continue
            if name in said:
                detail = f"{written!r} is another name of {first[name]!r}, which is given too"
                self.tell(place, written, "one-field-twice", detail, f"keep {name!r} only")
                continue
            said[name], first[name] = value, written
            if name != written:
                self.moved(place, name, written)
        return said
