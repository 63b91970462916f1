"""The HTTP API of the template on one local port: API Gateway's routing, authorizer, CORS, limits and payload 2.0."""

from __future__ import annotations

from infra.local.gateway.api import HttpApi
from infra.local.gateway.docs_site import DocsSite
from infra.local.gateway.server import GatewayServer, PortInUse

__all__ = ["DocsSite", "GatewayServer", "HttpApi", "PortInUse"]
