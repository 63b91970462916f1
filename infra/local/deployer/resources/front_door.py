"""Handlers of HTTP and WebSocket APIs, which are data for the laptop's gateway."""

from __future__ import annotations

from collections.abc import Callable

from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import Created, Record, Resource, Target


def api(resource: Resource, target: Target) -> Created:
    """Keep an API; its endpoint is the laptop's one port for both protocols."""
    protocol = resource.properties.get("ProtocolType")
    if protocol not in ("HTTP", "WEBSOCKET"):
        raise DeployError(
            f"{resource.stack}/{resource.logical_id}: the laptop serves HTTP and WebSocket APIs, not {protocol}"
        )
    target.http_apis.apis[resource.logical_id] = resource.properties
    endpoint = target.http_url if protocol == "HTTP" else target.http_url.replace("http", "ws", 1)
    return Created(resource.logical_id, {"ApiEndpoint": endpoint, "ApiId": resource.logical_id})


def stage(resource: Resource, target: Target) -> Created:
    """Keep a stage."""
    target.http_apis.stages[resource.logical_id] = resource.properties
    return Created(str(resource.properties["StageName"]))


def route(resource: Resource, target: Target) -> Created:
    """Keep a route."""
    target.http_apis.routes[resource.logical_id] = resource.properties
    return Created(resource.logical_id, {"RouteId": resource.logical_id})


def integration(resource: Resource, target: Target) -> Created:
    """Keep an integration."""
    target.http_apis.integrations[resource.logical_id] = resource.properties
    return Created(resource.logical_id, {"IntegrationId": resource.logical_id})


def authorizer(resource: Resource, target: Target) -> Created:
    """Keep an authorizer."""
    target.http_apis.authorizers[resource.logical_id] = resource.properties
    return Created(resource.logical_id, {"AuthorizerId": resource.logical_id})


def update(create: Callable[[Resource, Target], Created]) -> Callable[[Resource, Record, Target], Created]:
    """Return the update of a kind: to create it again, as it is data."""
    return lambda resource, _, target: create(resource, target)


def delete(kind: str) -> Callable[[Record, Target], None]:
    """Return the deletion of a kind."""

    def forget(record: Record, target: Target) -> None:
        getattr(target.http_apis, kind).pop(record.resource.logical_id, None)

    return forget
