"""What a deployment has applied, which the next one compares with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.local.deployer.resource import Created, Resource


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
