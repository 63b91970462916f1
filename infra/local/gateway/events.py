"""Turn a request into payload 2.0 and a function's answer into a response, as API Gateway does."""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local import account
from infra.local.gateway.messages import INTERNAL_ERROR, JSON_TYPE, Request, Response
from infra.local.gateway.routes import Route

_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")


def is_target(target: str) -> bool:
    """Say whether a request's target can be read as a path, or as a URL with one."""
    try:
        url = urlsplit(target)
    except ValueError:
        return False
    return url.path.startswith("/") or (url.netloc != "" and url.path == "")


def path_of(request: Request) -> str:
    """Return the target's path, still encoded, so that an encoded slash separates nothing."""
    return urlsplit(request.target).path or "/"


def payload(request: Request, route: Route, variables: Mapping[str, str], api_id: str) -> dict[str, Any]:
    """Build the event for the function behind a route."""
    url = urlsplit(request.target)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": unquote(url.path or "/"),
        "rawQueryString": url.query,
        "headers": joined((key, value) for key, value in request.headers if key != "cookie"),
        "requestContext": _context(request, route, unquote(url.path or "/"), api_id),
        "isBase64Encoded": False,
    }
    if cookies := request.header("cookie"):
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if query := joined(parse_qsl(url.query, keep_blank_values=True)):
        event["queryStringParameters"] = query
    if variables:
        event["pathParameters"] = dict(variables)
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of repeated names with commas: payload 2.0 has no lists."""
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: ",".join(items) for key, items in values.items()}


def response(payload_bytes: bytes) -> Response:
    """Read a function's answer: a response object, or any JSON value as the body of a 200."""
    try:
        answer = json.loads(payload_bytes)
        if not (isinstance(answer, dict) and "statusCode" in answer):
            return Response(200, [("content-type", JSON_TYPE)], json.dumps(answer).encode())
        return _structured(answer)
    except (ValueError, TypeError, binascii.Error):
        return INTERNAL_ERROR


def _structured(answer: dict[str, Any]) -> Response:
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise TypeError("API Gateway takes strings as bodies only")
    headers = [
        (str(name).lower(), _header_text(value)) for name, value in (answer.get("headers") or {}).items()
    ]
    if "content-type" not in dict(headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    headers += [("set-cookie", str(cookie)) for cookie in answer.get("cookies") or []]
    data = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    return Response(int(answer["statusCode"]), headers, data)


def _header_text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\r", " ").replace("\n", " ")


def _body(request: Request) -> tuple[str, bool]:
    kind = (request.header("content-type") or "").split(";")[0].strip().lower()
    is_text = kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))
    if is_text:
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    # Everything else comes as base64, form posts and bodies without a type included: so does it on AWS.
    return base64.b64encode(request.body).decode("ascii"), True


def _context(request: Request, route: Route, path: str, api_id: str) -> dict[str, Any]:
    now_s = time.time()
    return {
        "accountId": account.ACCOUNT_ID,
        "apiId": api_id,
        "domainName": request.header("host") or "127.0.0.1",
        "domainPrefix": api_id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": route.key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s)),
        "timeEpoch": int(now_s * 1000),
    }
