"""Find the route of a request by API Gateway's precedence, which is not the order in which routes are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from infra.local.account import function_name
from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import HttpApiParts
from infra.local.gateway.jwt_authorizer import JwtAuthorizer, jwt_authorizer

_LITERAL, _VARIABLE, _GREEDY = range(3)
_FUNCTION_URI = re.compile(r"functions/(arn:[^/]+)/invocations")


@dataclass(frozen=True)
class Authorizer:
    """The Lambda authorizer of a route."""

    function: str
    identity_sources: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """One route of the API with the function behind it."""

    key: str
    function: str
    timeout_s: float
    authorizer: Authorizer | JwtAuthorizer | None

    @property
    def method(self) -> str:
        """The method, `ANY`, or nothing for `$default`."""
        return self.key.partition(" ")[0] if " " in self.key else ""

    @property
    def segments(self) -> list[str]:
        """The parts of the path."""
        return self.key.partition(" ")[2].split("/")[1:]

    def rank(self) -> tuple[tuple[int, ...], bool]:
        """Sort literal before variable before greedy, a method before `ANY`, `$default` last."""
        return tuple(_kind(segment) for segment in self.segments), self.method == "ANY"

    def match(self, method: str, path: list[str]) -> dict[str, str] | None:
        """Give the path's variables if the route fits, None if not."""
        if self.method not in ("ANY", method):
            return None
        variables: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if _kind(segment) == _GREEDY:
                rest = "/".join(path[index:])
                return {**variables, segment[1:-2]: unquote(rest)} if rest else None
            if index >= len(path) or not _fits(segment, path[index], variables):
                return None
        return variables if len(path) == len(self.segments) else None


class RouteTable:
    """All routes of one API."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Sort once."""
        self.routes = list(routes)
        self._ranked = sorted((route for route in self.routes if route.key != "$default"), key=Route.rank)
        self._default = next((route for route in self.routes if route.key == "$default"), None)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Find the most specific route that fits, else `$default`, else nothing."""
        parts = path.split("/")[1:]
        for route in self._ranked:
            if (variables := route.match(method, parts)) is not None:
                return route, variables
        return (self._default, {}) if self._default else None


def routes_of(parts: HttpApiParts, api_id: str) -> list[Route]:
    """Read the routes of an API out of the template's resources."""
    return [_route(parts, route) for route in parts.routes.values() if route["ApiId"] == api_id]


def _route(parts: HttpApiParts, route: dict[str, object]) -> Route:
    integration = parts.integrations[str(route["Target"]).rsplit("/", 1)[-1]]
    if integration.get("IntegrationType") != "AWS_PROXY" or integration.get("PayloadFormatVersion") != "2.0":
        raise DeployError(
            f"route {route['RouteKey']}: the laptop serves Lambda integrations with payload 2.0 only"
        )
    authorizer: Authorizer | JwtAuthorizer | None = None
    if route.get("AuthorizationType", "NONE") != "NONE":
        properties = parts.authorizers[str(route["AuthorizerId"])]
        is_jwt = properties.get("AuthorizerType") == "JWT"
        authorizer = jwt_authorizer(properties, route) if is_jwt else _authorizer(properties)
    timeout_s = float(integration.get("TimeoutInMillis", 30_000)) / 1000
    return Route(
        str(route["RouteKey"]), function_of(str(integration["IntegrationUri"])), timeout_s, authorizer
    )


def _authorizer(properties: dict[str, object]) -> Authorizer:
    name = properties.get("Name")
    if properties.get("AuthorizerType") != "REQUEST" or not properties.get("EnableSimpleResponses"):
        raise DeployError(
            f"authorizer {name}: the laptop knows JWT authorizers, and Lambda authorizers with simple responses"
        )
    sources = properties.get("IdentitySource") or []
    if not isinstance(sources, list):
        raise DeployError(f"authorizer {name}: IdentitySource must be a list")
    return Authorizer(function_of(str(properties["AuthorizerUri"])), tuple(str(source) for source in sources))


def function_of(uri: str) -> str:
    """Take the name of the function out of an integration's or an authorizer's URI."""
    match = _FUNCTION_URI.search(uri)
    return function_name(match.group(1) if match else uri)


def _kind(segment: str) -> int:
    if not segment.startswith("{"):
        return _LITERAL
    return _GREEDY if segment.endswith("+}") else _VARIABLE


def _fits(segment: str, part: str, variables: dict[str, str]) -> bool:
    if _kind(segment) == _LITERAL:
        return segment == unquote(part)
    variables[segment[1:-1]] = unquote(part)
    return part != ""
