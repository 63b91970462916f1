"""Serve HTTP: authenticated callers, request bodies, and problem documents for every refusal."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from stepward.agents.requests import read_json
from stepward.domain.errors import (
    Bug,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RateLimited,
    StepwardError,
)
from stepward.domain.json_text import NotText, text_of
from stepward.domain.run_origins import Caller
from stepward.runtime.logs import logger

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"


def routes() -> APIGatewayHttpRouter:
    """Make a router, to which a file adds its routes."""
    return APIGatewayHttpRouter()  # type: ignore[no-untyped-call]  # its constructor is untyped


def http_app(*routers: APIGatewayHttpRouter) -> APIGatewayHttpResolver:
    """Make the resolver of a function's routes, with the one way of answering errors.

    Args:
        routers: The routers of its files, with their routes added: a route that comes later is not seen.
    """
    app = APIGatewayHttpResolver()
    for router in routers:
        app.include_router(router)
    app.exception_handler(StepwardError)(lambda error: problem(error, _request_id(app)))
    app.exception_handler(NotFoundError)(_no_route)
    app.exception_handler(Exception)(lambda error: _unexpected(error, _request_id(app)))
    return app


def _request_id(app: APIGatewayHttpResolver) -> str:
    return str(app.lambda_context.aws_request_id)


def _no_route(_error: NotFoundError) -> Response[str]:
    return problem(
        NotFound(
            "there is no such route.", field="path", fix="see shared/docs/reference/routes.md for the routes"
        )
    )


def _unexpected(error: Exception, request_id: str) -> Response[str]:
    bug = Bug(type(error).__name__)
    bug.__cause__ = error
    return problem(bug, request_id)


def caller(event: APIGatewayProxyEventV2) -> Caller:
    """Return the authenticated caller, as the authorizer found it.

    Args:
        event: The request.

    Raises:
        NotAuthenticated: The request carries no API key that is good.
    """
    said: dict[str, Any] = (event.raw_event.get("requestContext", {}).get("authorizer") or {}).get(
        "lambda"
    ) or {}
    if not said.get("tenant") or not said.get("principal"):
        raise NotAuthenticated(
            str(said.get("detail") or "the request carries no API key."),
            field="Authorization",
            fix=str(said.get("fix") or "send a key as `Authorization: Bearer sw_…`"),
        )
    logger.append_keys(tenant=said["tenant"], principal=said["principal"])
    return Caller(tenant=said["tenant"], principal=said["principal"])


def body_of(event: APIGatewayProxyEventV2) -> Any:
    """Parse a JSON body, with or without a byte-order mark.

    Args:
        event: The request.

    Raises:
        InvalidRequest: There is no body, or it is not JSON; the error names line and column.
    """
    try:
        return read_json(text_of(bytes_of(event)))
    except NotText as error:
        raise InvalidRequest(
            f"the body is not text: {error}.", field="body", fix="send UTF-8 JSON"
        ) from error


def bytes_of(event: APIGatewayProxyEventV2) -> bytes:
    """Return a body as it was sent, byte for byte, as signatures need it.

    Args:
        event: The request.
    """
    body = event.body or ""
    return base64.b64decode(body) if event.is_base64_encoded else body.encode()


def query_of(event: APIGatewayProxyEventV2) -> dict[str, str]:
    """Return the query string by name; the gateway joins repeated names with commas.

    Args:
        event: The request.
    """
    return dict(event.query_string_parameters or {})


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Response[str]:
    """Answer with JSON.

    Args:
        status: The HTTP status.
        body: What is written as JSON; what JSON has no type for is written as text.
        headers: More headers by name.
    """
    return Response(
        status, JSON, json.dumps(body, default=str, ensure_ascii=False), headers=dict(headers or {})
    )


def as_it_is(body: bytes, content_type: str, headers: dict[str, str]) -> Response[str]:
    """Answer with bytes, whatever their type.

    Args:
        body: The bytes.
        content_type: Their media type, passed on to the caller.
        headers: More headers by name.

    The resolver would write bytes that are called JSON as JSON once more, and fail; so it is given a text that it passes on.
    """
    kept = {**headers, "X-Content-Type-Options": "nosniff"}
    given: Response[str] = Response(200, content_type, base64.b64encode(body).decode(), headers=kept)
    given.base64_encoded = True
    return given


def problem(error: StepwardError, request_id: str = "") -> Response[str]:
    """Answer with an RFC 9457 problem document; an internal fault names only the log entry.

    Args:
        error: What was refused or went wrong.
        request_id: The invocation's id, by which the log entry is found.
    """
    document: dict[str, Any] = {
        "type": f"about:stepward/{error.code}",
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "code": error.code,
        "detail": error.detail,
        "field": error.field,
        "fix": error.fix,
    }
    if isinstance(error, InvalidRequest) and error.errors:
        document["errors"] = error.errors
    if error.http_status >= 500:
        logger.error("request failed", code=error.code, success=False, exc_info=error)
        document |= {"detail": "something went wrong on our side.", "field": None, "fix": _retry_hint(error)}
        document["instance"] = f"urn:request:{request_id}"
    shown = {name: value for name, value in document.items() if value is not None}
    return Response(
        error.http_status, PROBLEM, json.dumps(shown, ensure_ascii=False), headers=_headers(error)
    )


def _retry_hint(error: StepwardError) -> str:
    again = "try again in a moment" if error.retryable else "it would fail again in the same way"
    return f"{again}; the log has more under the request's id"


def _headers(error: StepwardError) -> dict[str, Any]:
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_after_s)}
    return {"Retry-After": "1"} if error.retryable else {}
