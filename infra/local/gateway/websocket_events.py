"""The events of a WebSocket API as functions see them: CONNECT, MESSAGE and DISCONNECT."""

from __future__ import annotations

import base64
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra.local.gateway.messages import Request
from infra.local.gateway.websocket_parts import SocketApi

Event = dict[str, Any]


@dataclass
class Visit:
    """What is known of one connection."""

    api: SocketApi
    stage: str
    request: Request
    connected_s: float
    id: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(11)).decode("ascii"))
    authorizer: dict[str, str] | None = None
    active_s: float = 0.0

    def identity(self) -> dict[str, str]:
        """Say where the client is."""
        return {"sourceIp": self.request.source_ip, "userAgent": self.request.header("user-agent") or ""}


def connect(visit: Visit, now_s: float) -> Event:
    """Tell of a client that wants in."""
    return {
        **_named("headers", "multiValueHeaders", visit.request.headers),
        **query_of(visit.request),
        **_event(visit, "$connect", "CONNECT", now_s),
    }


def message(visit: Visit, route: str, body: str, now_s: float) -> Event:
    """Tell of one message."""
    event = _event(visit, route, "MESSAGE", now_s)
    event["requestContext"]["messageId"] = _id()
    return {**event, "body": body}


def disconnect(visit: Visit, code: int, reason: str, now_s: float) -> Event:
    """Tell of the end."""
    event = _event(visit, "$disconnect", "DISCONNECT", now_s)
    event["requestContext"] |= {"disconnectStatusCode": code, "disconnectReason": reason}
    host = [("Host", visit.request.header("host") or ""), ("x-api-key", ""), ("X-Forwarded-For", "")]
    return {**_named("headers", "multiValueHeaders", host), **event}


def query_of(request: Request) -> Event:
    """Give the query's parameters in both forms, if there are any."""
    pairs = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    return _named("queryStringParameters", "multiValueQueryStringParameters", pairs) if pairs else {}


def _named(single: str, multiple: str, pairs: Iterable[tuple[str, str]]) -> Event:
    listed: dict[str, list[str]] = {}
    for name, value in pairs:
        listed.setdefault(name, []).append(value)
    return {single: {name: values[-1] for name, values in listed.items()}, multiple: listed}


def _event(visit: Visit, route: str, kind: str, now_s: float) -> Event:
    request_id = _id()
    context: Event = {
        "routeKey": route,
        "eventType": kind,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s)),
        "messageDirection": "IN",
        "stage": visit.stage,
        "connectedAt": int(visit.connected_s * 1000),
        "requestTimeEpoch": int(now_s * 1000),
        "identity": visit.identity(),
        "requestId": request_id,
        "domainName": visit.request.header("host") or "127.0.0.1",
        "connectionId": visit.id,
        "apiId": visit.api.id,
    }
    if visit.authorizer is not None:
        context["authorizer"] = visit.authorizer
    event: Event = {"requestContext": context, "isBase64Encoded": False}
    if variables := visit.api.stages[visit.stage]:
        event["stageVariables"] = dict(variables)
    return event


def _id() -> str:
    return str(uuid.uuid4())
