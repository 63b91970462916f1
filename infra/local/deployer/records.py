"""What a deployment remembers of each resource, so that the next one can tell what has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.local.deployer.resource import Created, Resource


@dataclass(frozen=True)
class Record:
    """One resource as it was applied: its evaluated properties and what came of them."""

    resource: Resource
    created: Created
    is_kept: bool = False
    """Whether the template says to leave it where it is when it is no longer asked for."""

    is_left_out: bool = False
    """Whether the laptop knowingly does nothing with it."""

    @property
    def place(self) -> tuple[str, str]:
        """Where in the templates it stands: stack and logical id."""
        return self.resource.stack, self.resource.logical_id


@dataclass
class Deployment:
    """What the laptop now has: for the console, the gateway, the tests and the next deployment."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    """(stack, logical id) → what was applied, in the order of creation."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)

    changes: list[str] = field(default_factory=list)
    """What this deployment did, a line a resource; empty if it found everything as it was wanted."""

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
        """(type, stack/logical id) of what the laptop knowingly leaves out."""
        return [
            (record.resource.type, "/".join(record.place))
            for record in self.records.values()
            if record.is_left_out
        ]

    def physical_ids(self, resource_type: str) -> list[str]:
        """Find what was created of one type."""
        return [physical for _, kind, physical in self.resources if kind == resource_type]
