"""Finds one record in a table that a tenant keeps as a CSV file."""

from __future__ import annotations

import csv
import io
from collections import OrderedDict
from threading import Lock
from typing import Any, Final

from pydantic import Field

from stepward.domain.errors import NotFound, ToolFailed
from stepward.domain.tools import Effect, Placement
from stepward.ports.datasets import Datasets
from stepward.tools.base import Arguments, DataPath, Settings, Tool, ToolContext

MAX_TABLES: Final = 4
Row = dict[str, str]


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
        """Answer `{"found": true, "record": {column: text}}`, or found=false."""
        rows = _TABLES.rows(context.datasets, context.tenant, settings)
        row = rows.get(arguments.key.strip())
        return {"found": True, "record": row} if row else {"found": False, "key": arguments.key}


class _Tables:
    """Keeps the newest tables of this process, so that a look-up costs one conditional read of the file."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, dict[str, Row]]] = OrderedDict()
        self._lock = Lock()

    def rows(self, datasets: Datasets, tenant: str, settings: TableSettings) -> dict[str, Row]:
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

    def _keep(self, place: tuple[str, str, str], version: str, rows: dict[str, Row]) -> None:
        with self._lock:
            self._kept[place] = (version, rows)
            self._kept.move_to_end(place)
            while len(self._kept) > MAX_TABLES:
                self._kept.popitem(last=False)


_TABLES: Final = _Tables()


def _parse(body: bytes, settings: TableSettings) -> dict[str, Row]:
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        if settings.key not in (reader.fieldnames or []):
            raise ToolFailed(f"{settings.source} has no column {settings.key!r}; it has {reader.fieldnames}.")
        return {row[settings.key].strip(): row for row in reader}
    except (UnicodeDecodeError, csv.Error, AttributeError) as error:
        raise ToolFailed(f"{settings.source} cannot be read as CSV: {error}") from error
