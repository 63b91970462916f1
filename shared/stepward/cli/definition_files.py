"""Files of agents and triggers on their way to the registry: what is refused is told at its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from stepward.cli import screen
from stepward.cli.commands_for_routes import in_commands
from stepward.cli.exit_codes import REFUSED
from stepward.cli.inputs import read_definition_file
from stepward.domain.documents import Document
from stepward.domain.documents import Path as Place
from stepward.domain.spellings import origins_of
from stepward.sdk import ApiError

_BAD_REQUEST = 400


@dataclass(frozen=True)
class DefinitionFile:
    """One file, as it was read."""

    path: Path
    document: Document

    @classmethod
    def read(cls, path: Path) -> DefinitionFile:
        """Read a file.

        Raises:
            InputError: It cannot be read, or not as YAML or JSON.
        """
        return cls(path, with_origins(read_definition_file(path)))

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""
        return dict(self.document.tree)

    def placed(self, error: ApiError) -> list[dict[str, Any]]:
        """Give all that the API refused, each with the line and column where it stands in the file."""
        listed = error.problem.get("errors")
        alone = {"code": error.code, "field": error.field, "detail": error.detail, "fix": error.fix}
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return self.with_places(entries or [alone])

    def with_places(self, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Put what is wrong in the order of the file, each thing with its file, line and column."""
        found = [self._with_place(one) for one in entries]
        return sorted(found, key=lambda one: (one.get("line", 0), one.get("column", 0)))

    def _with_place(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        position = self.document.position(_path_of(str(entry.get("field") or "")))
        place = position._asdict() if position else {}
        return {"file": str(self.path), **{name: one for name, one in entry.items() if one}, **place}


def with_origins(document: Document) -> Document:
    """Lead from the names under which an agent's values are kept to those that its file uses."""
    return replace(document, origins=origins_of(document.tree))


def _path_of(name: str) -> Place:
    parts = [] if name in ("", "body") else name.split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts)


def spelled(entry: dict[str, Any]) -> str:
    """Write one thing that is wrong as a compiler would, with its field."""
    place = ":".join(str(entry[part]) for part in ("file", "line", "column") if part in entry)
    fix = f" ({entry['fix']})" if entry.get("fix") else ""
    field, detail = str(entry.get("field") or ""), str(entry["detail"])
    detail = detail.removeprefix(f"{field.rpartition('.')[2]}: ")  # the field says it already
    return ": ".join(part for part in (place, field, in_commands(detail)) if part) + in_commands(fix)


@contextmanager
def refusals_of(file: DefinitionFile, *, as_json: bool) -> Iterator[None]:
    """Show people every fault of a refused definition at its place; programs get the same in `errors`."""
    try:
        yield
    except ApiError as error:
        if error.status != _BAD_REQUEST or error.code != "InvalidRequest":
            raise
        found = file.placed(error)
        if as_json:
            raise ApiError(error.status, {**error.problem, "errors": found}) from error
        for one in found:
            screen.complain(spelled(one))
        raise typer.Exit(REFUSED) from error
