"""Read a WebSocket API out of the template's resources: its routes, its stages, how messages find their route."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import HttpApiParts
from infra.local.gateway.routes import function_of

_SELECTION = re.compile(r"^\$\{?request\.body\.([A-Za-z0-9_.-]+)\}?$")
_SOURCE = re.compile(r"^route\.request\.(header|querystring)\.(.+)$")
CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"


@dataclass(frozen=True)
class SocketAuthorizer:
    """Who is asked at `$connect`, and what a client has to bring for that."""

    function: str
    sources: tuple[tuple[str, str], ...]
    """(`header` or `querystring`, name)."""


@dataclass(frozen=True)
class SocketRoute:
    """One route with the function behind it."""

    key: str
    function: str
    timeout_s: float
    answers: bool
    """Whether what the function returns goes back to the client."""
    authorizer: SocketAuthorizer | None


@dataclass(frozen=True)
class SocketApi:
    """One WebSocket API."""

    id: str
    stages: dict[str, dict[str, str]]
    """Name → stage variables."""
    routes: dict[str, SocketRoute]
    selection: tuple[str, ...]
    """Where in a message the name of its route stands."""

    def route_of(self, message: str) -> SocketRoute | None:
        """Choose the route of a message; what names none goes to `$default`, if there is one."""
        try:
            found: Any = json.loads(message)
            for name in self.selection:
                found = found[name]
        except (ValueError, KeyError, TypeError):
            found = None
        known = isinstance(found, str) and not found.startswith("$")
        return (self.routes.get(found) if known else None) or self.routes.get(DEFAULT)


def socket_api_of(parts: HttpApiParts) -> SocketApi | None:
    """Read the one WebSocket API, if the template has one."""
    found = {name: api for name, api in parts.apis.items() if api.get("ProtocolType") == "WEBSOCKET"}
    if len(found) > 1:
        raise DeployError(f"the laptop serves at most one WebSocket API, the template has {len(found)}")
    for api_id, api in found.items():
        own = [stage for stage in parts.stages.values() if stage["ApiId"] == api_id]
        routes = [_route(parts, route) for route in parts.routes.values() if route["ApiId"] == api_id]
        return SocketApi(
            api_id,
            {stage["StageName"]: stage.get("StageVariables", {}) for stage in own},
            {route.key: route for route in routes},
            _selection(str(api.get("RouteSelectionExpression", ""))),
        )
    return None


def _selection(expression: str) -> tuple[str, ...]:
    found = _SELECTION.match(expression)
    if found is None:
        raise DeployError(f"RouteSelectionExpression {expression!r}: the laptop knows $request.body.<path>")
    return tuple(found[1].split("."))


def _route(parts: HttpApiParts, route: dict[str, Any]) -> SocketRoute:
    integration = parts.integrations[str(route["Target"]).rsplit("/", 1)[-1]]
    if integration.get("IntegrationType") != "AWS_PROXY":
        raise DeployError(
            f"route {route['RouteKey']}: the laptop serves WebSockets by AWS_PROXY integrations only"
        )
    authorizer = None
    if route.get("AuthorizationType", "NONE") != "NONE":
        if route["RouteKey"] != CONNECT:
            raise DeployError(f"route {route['RouteKey']}: only {CONNECT} can have an authorizer")
        authorizer = _authorizer(parts.authorizers[str(route.get("AuthorizerId"))])
    return SocketRoute(
        str(route["RouteKey"]),
        function_of(str(integration["IntegrationUri"])),
        float(integration.get("TimeoutInMillis", 29_000)) / 1000,
        route.get("RouteResponseSelectionExpression") == DEFAULT,
        authorizer,
    )


def _authorizer(properties: dict[str, Any]) -> SocketAuthorizer:
    sources = [_SOURCE.match(source) for source in properties.get("IdentitySource") or []]
    if properties.get("AuthorizerType") != "REQUEST" or not all(sources):
        raise DeployError(
            f"authorizer {properties.get('Name')}: WebSockets take REQUEST authorizers with route.request.…"
        )
    pairs = tuple((found[1], found[2]) for found in sources if found)
    return SocketAuthorizer(function_of(str(properties["AuthorizerUri"])), pairs)
