"""The WebSocket API of the template: clients come in by `$connect`, their messages find routes, functions answer back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any, Protocol
from urllib.parse import urlsplit

from infra.local.executor import Executor, Throttled
from infra.local.gateway import websocket_events
from infra.local.gateway.messages import Request
from infra.local.gateway.websocket_authorizer import ConnectRefused, authorize
from infra.local.gateway.websocket_connection import ConnectionGone, SocketConnection
from infra.local.gateway.websocket_events import Event, Visit
from infra.local.gateway.websocket_parts import CONNECT, DISCONNECT, SocketApi, SocketRoute

IDLE_LIMIT_S = 600.0
LIFE_LIMIT_S = 7200.0
_AUTHORIZER_LIMIT_S = 29.0
_THREADS = 64
_GOING_AWAY = (1001, "Going away")


class Clock(Protocol):
    """The laptop's time."""

    def now_s(self) -> float:
        """Give the seconds since 1970."""

    def call_at(self, when_s: float, action: Callable[[], object]) -> None:
        """Do something later."""


class WebSocketApi:
    """Every client that is connected, by its connection's id."""

    def __init__(self, api: SocketApi, executor: Executor, clock: Clock) -> None:
        """Take the API as the template has it, who runs its functions, and the time."""
        self.api = api
        self._executor = executor
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="websocket")
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[Visit, SocketConnection]] = {}

    def serve(self, request: Request, connection: SocketConnection) -> None:
        """Serve one client from its handshake to its end, in the thread of its socket."""
        if not connection.check():
            return
        visit = Visit(self.api, urlsplit(request.target).path.strip("/"), request, self._clock.now_s())
        try:
            subprotocol = self._enter(visit)
        except ConnectRefused as refused:
            connection.refuse(refused.status, refused.body)
            return
        if connection.accept(subprotocol):
            self._keep(visit, connection)

    def find(self, connection_id: str) -> tuple[Visit, SocketConnection] | None:
        """Find a client that is connected."""
        with self._lock:
            return self._clients.get(connection_id)

    def send(self, connection_id: str, message: str) -> bool:
        """Send a message to a client; False if it is gone."""
        found = self.find(connection_id)
        try:
            if found is not None:
                found[1].send(message)
        except ConnectionGone:
            return False
        return found is not None

    def close(self) -> None:
        """Let every client go."""
        with self._lock:
            clients = list(self._clients.values())
        for _, connection in clients:
            connection.close(*_GOING_AWAY)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _enter(self, visit: Visit) -> str | None:
        """Ask the authorizer, then `$connect`; give the subprotocol that the function chose."""
        if visit.stage not in self.api.stages:
            raise ConnectRefused(403, "Forbidden")
        route = self.api.routes.get(CONNECT)
        if route is None:
            return None
        event = websocket_events.connect(visit, self._clock.now_s())
        if route.authorizer is not None:
            function = route.authorizer.function
            visit.authorizer = authorize(
                route.authorizer, visit, event, lambda body: self._invoke(function, body, _AUTHORIZER_LIMIT_S)
            )
            event["requestContext"]["authorizer"] = visit.authorizer
        answer = self._call(route, event)
        if answer is None:
            raise ConnectRefused(502, "Internal server error")
        status = int(answer.get("statusCode", 200))
        if not 200 <= status < 300:
            raise ConnectRefused(status, str(answer.get("body") or "Forbidden"))
        headers = {str(name).lower(): value for name, value in (answer.get("headers") or {}).items()}
        return headers.get("sec-websocket-protocol")

    def _keep(self, visit: Visit, connection: SocketConnection) -> None:
        connection.on_activity = lambda: self._active(visit)
        self._active(visit)
        with self._lock:
            self._clients[visit.id] = (visit, connection)
        self._clock.call_at(visit.connected_s + LIFE_LIMIT_S, lambda: self._end(connection))
        self._watch(visit, connection)
        try:
            for text in connection.messages():
                self._threads.submit(self._route, visit, connection, text)
        finally:
            with self._lock:
                del self._clients[visit.id]
            self._leave(visit, connection)

    def _active(self, visit: Visit) -> None:
        visit.active_s = self._clock.now_s()

    def _watch(self, visit: Visit, connection: SocketConnection) -> None:
        """Look again when the connection may have been idle for too long."""
        if self.find(visit.id) is None:
            return
        due_s = visit.active_s + IDLE_LIMIT_S
        if self._clock.now_s() >= due_s:
            self._end(connection)
        else:
            self._clock.call_at(due_s, lambda: self._watch(visit, connection))

    def _end(self, connection: SocketConnection) -> None:
        # The clock's own thread must not wait for a client that does not read.
        self._threads.submit(connection.close, *_GOING_AWAY)

    def _route(self, visit: Visit, connection: SocketConnection, text: str) -> None:
        route = self.api.route_of(text)
        event = websocket_events.message(visit, route.key if route else "$default", text, self._clock.now_s())
        try:
            if route is None:
                connection.send(_error_message("Forbidden", event))
                return
            answer = self._call(route, event)
            if answer is None:
                connection.send(_error_message("Internal server error", event))
            elif route.answers and answer.get("body"):
                connection.send(str(answer["body"]))
        except ConnectionGone:
            return

    def _leave(self, visit: Visit, connection: SocketConnection) -> None:
        route = self.api.routes.get(DISCONNECT)
        if route is not None:
            event = websocket_events.disconnect(visit, *connection.end, self._clock.now_s())
            self._invoke(route.function, json.dumps(event).encode(), route.timeout_s)

    def _call(self, route: SocketRoute, event: Event) -> dict[str, Any] | None:
        """Run a route's function; None says that it failed."""
        payload = self._invoke(route.function, json.dumps(event).encode(), route.timeout_s)
        if payload is None:
            return None
        answer = json.loads(payload)
        return answer if isinstance(answer, dict) else {}

    def _invoke(self, function: str, payload: bytes, limit_s: float) -> bytes | None:
        pending = ThreadPoolExecutor(1, thread_name_prefix="websocket-invoke")
        try:
            result = pending.submit(self._executor.invoke, function, payload).result(limit_s)
        except (TookTooLong, Throttled):
            return None
        finally:
            pending.shutdown(wait=False)
        return None if result.function_error else result.payload


def _error_message(text: str, event: Event) -> str:
    context = event["requestContext"]
    ids = {"connectionId": context["connectionId"], "requestId": context["requestId"]}
    return json.dumps({"message": text, **ids})
