"""The management endpoint of a WebSocket API (`@connections`): functions speak to clients, look at them, send them off."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from infra.local.deployer.resource import HttpApiParts
from infra.local.executor import Executor
from infra.local.gateway.messages import JSON_TYPE, Request, Response
from infra.local.gateway.websocket import Clock, WebSocketApi
from infra.local.gateway.websocket_connection import MAX_MESSAGE_BYTES
from infra.local.gateway.websocket_events import Visit
from infra.local.gateway.websocket_parts import socket_api_of
from infra.local.iam import Guard
from infra.local.iam.calls import Need, arn, read_call

_PATH = re.compile(r"^/([^/]+)/@connections/([^/]+)$")


class Management:
    """Answer PostToConnection, GetConnection and DeleteConnection."""

    def __init__(self, sockets: WebSocketApi, guard: Guard) -> None:
        """Take the clients, and who knows what callers may do."""
        self.sockets = sockets
        self._guard = guard

    def answer(self, request: Request) -> Response | None:
        """Answer, or None if the request is for somebody else."""
        found = _PATH.match(urlsplit(request.target).path)
        if found is None or found[1] not in self.sockets.api.stages:
            return None
        call = read_call({"HTTP_AUTHORIZATION": request.header("authorization") or ""})
        if call is None:
            return _fault(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        resource = f"{self.sockets.api.id}/{found[1]}/{request.method}/@connections/{unquote(found[2])}"
        need = Need("execute-api:ManageConnections", arn("execute-api", resource))
        if refusal := self._guard.refusal(call.access_key, need):
            return _fault(403, "ForbiddenException", refusal)
        return self._act(request, unquote(found[2]))

    def _act(self, request: Request, connection_id: str) -> Response:
        found = self.sockets.find(connection_id)
        if found is None:
            return _fault(410, "GoneException", "Gone")
        visit, connection = found
        if request.method == "GET":
            return Response(200, [("content-type", JSON_TYPE)], _described(visit))
        if request.method == "DELETE":
            connection.close(1000, "Connection Closed Normally")
            return Response(204)
        if len(request.body) > MAX_MESSAGE_BYTES:
            return _fault(413, "PayloadTooLargeException", "Message too long")
        is_sent = self.sockets.send(connection_id, request.body.decode("utf-8", "replace"))
        return Response(200) if is_sent else _fault(410, "GoneException", "Gone")


def management_of(parts: HttpApiParts, executor: Executor, clock: Clock, guard: Guard) -> Management | None:
    """Return the template's WebSocket API with its management endpoint, if there is one."""
    api = socket_api_of(parts)
    return None if api is None else Management(WebSocketApi(api, executor, clock), guard)


def _described(visit: Visit) -> bytes:
    times = {"connectedAt": visit.connected_s, "lastActiveAt": visit.active_s}
    shown = {
        name: datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
        for name, at_s in times.items()
    }
    return json.dumps({**shown, "identity": visit.identity()}).encode()


def _fault(status: int, kind: str, text: str) -> Response:
    headers = [("content-type", JSON_TYPE), ("x-amzn-errortype", kind)]
    return Response(status, headers, json.dumps({"message": text}).encode())
