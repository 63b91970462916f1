"""Applies resources one at a time, and rolls them back when an update fails.

Properties are validated first, so that a misspelt one fails as on AWS. Their names are CloudFormation's own, from the
resource schemas that cfn-lint carries (moto depends on it); they are read as data, one small file for each type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.deployer.catalog import HANDLERS, NO_OPS, RESOURCE_ACTIONS, ResourceActions
from infra.local.deployer.faults import (
    CannotChange,
    DeployError,
    MustBeRenamed,
    ResourceRefused,
    UnknownProperty,
)
from infra.local.deployer.resource import Created, Deployment, Record, Resource, Target

_REGION = "us-east-1"


def check_properties(resource: Resource) -> None:
    """Raise UnknownProperty for a property that CloudFormation does not have for the type."""
    known = _properties(resource.type)
    for name in resource.properties:
        if known and name not in known:
            near = get_close_matches(name, known, n=1)
            raise UnknownProperty(resource, name, near[0] if near else None)


@cache
def _properties(resource_type: str) -> frozenset[str]:
    """Return a type's properties; none for a type without a schema, such as a custom resource."""
    folder = _schemas()
    index: dict[str, str] = json.loads((folder / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    if resource_type not in index:
        return frozenset()
    file = folder / "resources" / f"{index[resource_type]}.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return frozenset(schema["properties"])


def _schemas() -> Path:
    spec = find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("cfn-lint, which moto brings along, is not installed: run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


Undo = Callable[[], object]


class Changes:
    """The steps of one deployment, each with its undo."""

    def __init__(self, target: Target, before: Deployment) -> None:
        """Keep the target and the deployment before this one."""
        self._target = target
        self._before = before
        self._undo: list[tuple[Record, Undo]] = []
        self._replaced: list[Record] = []
        self.lines: list[str] = []

    def apply(self, wanted: Resource, *, is_kept: bool) -> Record:
        """Create, update or replace a resource, or leave it unchanged."""
        old = self._before.records.get((wanted.stack, wanted.logical_id))
        if old is None or old.resource.type != wanted.type:
            record = self._create(wanted, is_kept=is_kept)
        elif old.resource.properties == wanted.properties:
            return replace(old, is_kept=is_kept)
        elif wanted.type in NO_OPS:
            return replace(old, resource=wanted)
        else:
            record = self._change(replace(wanted, generation=old.resource.generation), old, is_kept=is_kept)
        return record

    def delete_gone(self, after: Deployment) -> None:
        """Delete what was replaced or left the templates, the newest first."""
        gone = [
            record
            for place, record in self._before.records.items()
            if place not in after.records or after.records[place].resource.type != record.resource.type
        ]
        for record in reversed([*gone, *self._replaced]):
            if record.is_left_out:
                continue
            if record.is_kept:
                self._log("kept, as its deletion policy says:", record)
                continue
            try:
                _actions(record.resource).delete(record, self._target)
            except (ClientError, BotoCoreError) as error:
                # As on AWS: the update succeeds without the deletion.
                self._log("left, it could not be deleted:", record, str(error))
                continue
            self._log("deleted", record)

    def check_deletions(self, after: Deployment) -> None:
        """Raise CannotChange for what cannot be deleted, while a rollback is still possible."""
        for place, record in self._before.records.items():
            if place not in after.records and not record.is_left_out:
                _actions(record.resource)

    def roll_back(self) -> list[str]:
        """Undo every step, the newest first; return what could not be undone."""
        failed = []
        for record, undo in reversed(self._undo):
            try:
                undo()
            except (ClientError, BotoCoreError, DeployError) as error:
                failed.append(f"{'/'.join(record.place)}: {error}")
        return failed

    def _create(self, wanted: Resource, *, is_kept: bool) -> Record:
        if wanted.type in NO_OPS:
            return Record(wanted, Created(wanted.logical_id), is_kept, is_left_out=True)
        record = Record(
            wanted, self._checked(wanted, lambda: _handler(wanted)(wanted, self._target)), is_kept
        )
        if (actions := RESOURCE_ACTIONS.get(wanted.type)) is not None:
            self._undo.append((record, lambda: actions.delete(record, self._target)))
        self._log("created", record)
        return record

    def _change(self, wanted: Resource, old: Record, *, is_kept: bool) -> Record:
        actions = _actions(wanted)
        if any(_differs(wanted, old.resource, name) for name in actions.replaced_by):
            return self._replace(wanted, old, actions, is_kept=is_kept)
        # The undo comes first: an update that fails may have done half of its work.
        self._undo.append(
            (old, lambda: actions.update(old.resource, Record(wanted, old.created), self._target))
        )
        record = Record(
            wanted, self._checked(wanted, lambda: actions.update(wanted, old, self._target)), is_kept
        )
        self._log("updated", record, _changed_properties(wanted, old.resource))
        return record

    def _replace(self, wanted: Resource, old: Record, actions: ResourceActions, *, is_kept: bool) -> Record:
        name = actions.replaced_by[0]
        if wanted.properties.get(name) and not _differs(wanted, old.resource, name):
            raise MustBeRenamed(wanted, name)
        fresh = replace(wanted, generation=old.resource.generation + 1)
        record = Record(fresh, self._checked(fresh, lambda: _handler(fresh)(fresh, self._target)), is_kept)
        self._undo.append((record, lambda: actions.delete(record, self._target)))
        self._replaced.append(old)
        self._log("replaced", record, _changed_properties(wanted, old.resource))
        return record

    def _checked(self, wanted: Resource, call: Callable[[], Created]) -> Created:
        check_properties(wanted)
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            raise ResourceRefused(wanted, str(error)) from error
        except KeyError as error:
            raise ResourceRefused(wanted, f"the property {error} is missing") from error

    def _log(self, what: str, record: Record, detail: str = "") -> None:
        resource = record.resource
        suffix = f" ({detail})" if detail else ""
        self.lines.append(f"{what} {resource.stack}/{resource.logical_id} {resource.type}{suffix}")


def _handler(resource: Resource) -> Callable[[Resource, Target], Created]:
    return HANDLERS[resource.type]


def _actions(resource: Resource) -> ResourceActions:
    try:
        return RESOURCE_ACTIONS[resource.type]
    except KeyError:
        raise CannotChange(resource) from None


def _differs(one: Resource, other: Resource, name: str) -> bool:
    return bool(one.properties.get(name) != other.properties.get(name))


def _changed_properties(one: Resource, other: Resource) -> str:
    return ", ".join(
        name for name in sorted({*one.properties, *other.properties}) if _differs(one, other, name)
    )
