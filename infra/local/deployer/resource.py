"""The words that handlers share: what comes in (a resource, a target) and what goes out (what was created)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.executor.spec import FunctionSpec


@dataclass(frozen=True)
class Resource:
    """One resource of a template with its values evaluated."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    generation: int = 0
    """How often the resource was replaced: a made name must differ from that of the one before."""

    def name(self, property_name: str, limit: int = 64) -> str:
        """Take the given physical name, or make one as CloudFormation does: stack, then logical id."""
        suffix = f"-{self.generation}" if self.generation else ""
        made = f"{self.stack}-{self.logical_id}"[: limit - len(suffix)] + suffix
        return str(self.properties.get(property_name) or made)

    def pick(self, *names: str) -> dict[str, Any]:
        """Take the properties that are called the same in the API."""
        return {name: self.properties[name] for name in names if name in self.properties}


@dataclass(frozen=True)
class Created:
    """What `Ref` and `Fn::GetAtt` give for a resource."""

    ref: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class HttpApiParts:
    """The ApiGatewayV2 resources as data: the gateway serves them, moto does not."""

    apis: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)
    integrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    authorizers: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """Where a template is applied: an AWS, a place for code, a place for the front door."""

    client: Callable[[str], Any]
    asset: Callable[[str], Path]
    register_function: Callable[[FunctionSpec], None]
    http_apis: HttpApiParts
    http_url: str
    forget_function: Callable[[str], None] = lambda _: None
