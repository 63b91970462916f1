"""Resources of templates, where they are applied, and what a deployment has applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

from infra.local.executor.spec import FunctionSpec


@dataclass(frozen=True)
class Resource:
    """One resource of a template with its evaluated properties."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    generation: int = 0
    """How often the resource was replaced, which keeps generated names distinct."""

    def name(self, property_name: str, limit: int = 64) -> str:
        """Return the given physical name, or generate one from stack and logical id."""
        suffix = f"-{self.generation}" if self.generation else ""
        made = f"{self.stack}-{self.logical_id}"[: limit - len(suffix)] + suffix
        return str(self.properties.get(property_name) or made)

    def pick(self, *names: str) -> dict[str, Any]:
        """Return those of the named properties that are given."""
        return {name: self.properties[name] for name in names if name in self.properties}


@dataclass(frozen=True)
class Created:
    """The results of `Ref` and `Fn::GetAtt` for a resource."""

    ref: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class HttpApiParts:
    """The ApiGatewayV2 resources as data, which the gateway serves."""

    apis: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)
    integrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    authorizers: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Where a template is applied: the AWS API, the executor and the gateway."""

    client: Callable[[str], BaseClient]
    asset: Callable[[str], Path]
    register_function: Callable[[FunctionSpec], None]
    http_apis: HttpApiParts
    http_url: str
    forget_function: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Record:
    """One resource as it was applied, with its attributes."""

    resource: Resource
    created: Created
    is_kept: bool = False
    """Whether its deletion policy is to retain it."""

    is_left_out: bool = False
    """Whether its type is one of `NO_OPS`."""

    @property
    def place(self) -> tuple[str, str]:
        """The stack and the logical id of the resource."""
        return self.resource.stack, self.resource.logical_id


@dataclass
class Deployment:
    """The state of a laptop after a deployment."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    """(stack, logical id) → what was applied, in the order of creation."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)

    changes: list[str] = field(default_factory=list)
    """One line for each resource that this deployment changed."""

    @property
    def resources(self) -> list[tuple[str, str, str]]:
        """(stack, type, physical id) of everything that exists, in the order of creation."""
        return [
            (record.resource.stack, record.resource.type, record.created.ref)
            for record in self.records.values()
            if not record.is_left_out
        ]

    @property
    def no_ops(self) -> list[tuple[str, str]]:
        """(type, stack/logical id) of what the laptop leaves out."""
        return [
            (record.resource.type, "/".join(record.place))
            for record in self.records.values()
            if record.is_left_out
        ]

    def physical_ids(self, resource_type: str) -> list[str]:
        """List the physical ids of one resource type."""
        return [physical for _, kind, physical in self.resources if kind == resource_type]
