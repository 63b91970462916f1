"""Finds one record in a table that a tenant keeps as a CSV file."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, Final, TypeAlias

from pydantic import Field

from stepward.domain.errors import NotFound, ToolFailed
from stepward.domain.tables import NotATable, Row, Table, read_table
from stepward.domain.tools import Effect, Placement
from stepward.ports.tool_services import Datasets
from stepward.tools.base import Arguments, DataPath, Settings, Tool, ToolContext

MAX_TABLES: Final = 4
Found: TypeAlias = dict[str, str] | str
"""A record, or what is wrong with its row."""


class TableSettings(Settings):
    """Which table, and by which column."""

    source: DataPath
    key: str = Field(min_length=1, max_length=200)


class Key(Arguments):
    """Which record."""

    key: str = Field(min_length=1, max_length=500, description="The value that identifies the record.")


class RecordLookup(Tool[TableSettings, Key]):
    """Looks a record up by its key."""

    name = "record_lookup"
    description = "Looks up one record of a table by its key. Answers found=false when there is none."
    effect = Effect.NONE
    placement = Placement.INLINE
    timeout_s = 10
    settings = TableSettings
    arguments = Key

    def run(self, arguments: Key, settings: TableSettings, context: ToolContext) -> Any:
        """Return `{"found": true, "record": {column: text}}`, or found=false."""
        rows = _TABLES.rows(context.datasets, context.tenant, settings)
        found = rows.get(arguments.key.strip())
        if isinstance(found, str):
            raise ToolFailed(f"{settings.source} has no sure answer for {arguments.key!r}: {found}.")
        return {"found": True, "record": found} if found else {"found": False, "key": arguments.key}


class _Tables:
    """Caches the newest tables, so that a look-up costs one conditional read of the file."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, dict[str, Found]]] = OrderedDict()
        self._lock = Lock()

    def rows(self, datasets: Datasets, tenant: str, settings: TableSettings) -> dict[str, Found]:
        place = (tenant, settings.source, settings.key)
        version, rows = self._kept.get(place, (None, {}))
        try:
            file = datasets.read(tenant, settings.source, version)
        except NotFound as error:
            raise ToolFailed(error.detail, fix=error.fix) from error
        if file is not None:
            rows = _parse(file.body, settings)
            self._keep(place, file.version, rows)
        return rows

    def _keep(self, place: tuple[str, str, str], version: str, rows: dict[str, Found]) -> None:
        with self._lock:
            self._kept[place] = (version, rows)
            self._kept.move_to_end(place)
            while len(self._kept) > MAX_TABLES:
                self._kept.popitem(last=False)


_TABLES: Final = _Tables()


def _parse(body: bytes, settings: TableSettings) -> dict[str, Found]:
    """Index a table by its key.

    A row that does not fit the heading is indexed by each of its fields, so that its fault is reported.
    """
    try:
        table = read_table(body)
    except NotATable as error:
        raise ToolFailed(f"{settings.source} cannot be read as CSV: {error}.") from error
    if settings.key not in table.columns:
        names = ", ".join(map(repr, table.columns)) or "none"
        raise ToolFailed(f"{settings.source} has no column {settings.key!r}; its columns are {names}.")
    place = table.columns.index(settings.key)
    found: dict[str, Found] = {}
    for row in table.rows:
        key = row.cells[place].strip() if place < len(row.cells) else ""
        if key:
            found[key] = row.fault or _unlike(found.get(key), table, row, settings.key)
    return {name: one for name, one in {**_by_any_field(table), **found}.items() if name}


def _by_any_field(table: Table) -> dict[str, Found]:
    """Index a faulty row by each of its fields: any of them may be the key, moved aside."""
    return {cell.strip(): row.fault for row in table.rows if row.fault for cell in row.cells}


def _unlike(before: Found | None, table: Table, row: Row, key: str) -> Found:
    """Return a record, or a fault where another one of the same key differs."""
    record = table.record(row)
    if before is None or before == record:
        return record
    return before if isinstance(before, str) else f"line {row.line} has another record of the same {key}"
