"""Items of tables: each write is kept before its caller has the answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from infra.local import account
from infra.local.engine.dynamodb.actions import Action, Answer, Observer
from infra.local.state.folder import DataFolder, DataFolderError, Unit
from infra.local.state.scans import dump, load
from infra.local.touched_items import TableView, touches, view

KIND = "item"
_BY_STATEMENT = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")


class Items:
    """Stand behind every DynamoDB action and keep what it wrote."""

    def __init__(self, folder: DataFolder) -> None:
        """Take the folder."""
        self._folder = folder

    def behind(self, observer: Observer) -> Observer:
        """Let another observer go first."""

        def observe(handler: Any, action: Action) -> Answer:
            answer = observer(handler, action)
            if answer[0] < 300:
                self._keep(str(handler._get_action()), dict(handler.params))  # noqa: SLF001 - the action's own name
            return answer

        return observe

    def restore(self) -> tuple[int, list[str]]:
        """Put every kept item into its table; give their number, and the tables that are no more."""
        backend, lost = _backend(), set()
        number = 0
        for unit, value in self._folder.units(KIND):
            table = view(backend, unit.home)
            if table is None:
                lost.add(unit.home)
                continue
            _put(table, load(value), self._folder)
            number += 1
        return number, sorted(lost)

    def _keep(self, operation: str, body: dict[str, Any]) -> None:
        if operation == "DeleteTable":
            name = body["TableName"].rsplit("/", 1)[-1]
            if view(_backend(), name) is None:
                self._folder.write({unit: None for unit, _ in self._folder.units(KIND) if unit.home == name})
        elif operation in _BY_STATEMENT:
            self._folder.write(dict(self._everything()))
        else:
            written = [touch for touch in touches(operation, body) if touch.writes]
            self._folder.write(dict(self._units(written)))

    def _units(self, written: Iterable[Any]) -> Iterator[tuple[Unit, bytes | None]]:
        for touch in written:
            table = view(_backend(), touch.table)
            if table is None or any(name not in touch.key for name in table.key_names):
                continue
            item = table.item(touch.key)
            yield _unit(table, touch.key), None if item is None else dump(item)

    def _everything(self) -> Iterator[tuple[Unit, bytes | None]]:
        """Compare all: a statement's text does not say in a simple way what it touches."""
        for unit, _ in self._folder.units(KIND):
            yield unit, None
        for name in list(_backend().tables):
            if (table := view(_backend(), name)) is not None:
                for item in table.table.all_items():
                    content = item.to_json()["Attributes"]
                    yield _unit(table, content), dump(content)


def _unit(table: TableView, key: Any) -> Unit:
    return Unit(KIND, table.name, json.dumps([key[name] for name in table.key_names], default=str))


def _put(table: TableView, content: dict[str, Any], folder: DataFolder) -> None:
    if missing := [name for name in table.key_names if name not in content]:
        raise DataFolderError(
            f"{folder.folder} holds items of {table.name} without its key {missing[0]!r}: the table's key has "
            "changed since. The folder was left as it is; name another with --data, or give the table another name."
        )
    hash_key, *range_key = (DynamoType(content[name]) for name in table.key_names)
    item = Item(hash_key, range_key[0] if range_key else None, content)
    # Straight into the table: a restored item is no write, so no stream may carry it.
    if range_key:
        table.table.items[hash_key][range_key[0]] = item
    else:
        table.table.items[hash_key] = item


def _backend() -> Any:
    return dynamodb_backends[account.ACCOUNT_ID][account.REGION]
