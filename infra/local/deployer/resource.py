"""Resources of templates, what is created of them, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

    client: Callable[[str], Any]
    asset: Callable[[str], Path]
    register_function: Callable[[FunctionSpec], None]
    http_apis: HttpApiParts
    http_url: str
    forget_function: Callable[[str], None] = lambda _: None
