"""Validation of a resource's properties, so that a misspelt one fails as on AWS.

The property names are CloudFormation's own, from the resource schemas that cfn-lint carries (moto brings it along);
they are read as data, one small file a type.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.local.deployer.faults import UnknownProperty
from infra.local.deployer.resource import Resource

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
