"""From a request to a response: CORS, route, authorizer, function; every refusal in API Gateway's own words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

from infra.local import account
from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import HttpApiParts
from infra.local.executor import Executor, InvocationResult, Throttled
from infra.local.executor.faults import MAX_REQUEST_BYTES
from infra.local.gateway import events
from infra.local.gateway.cors import Cors
from infra.local.gateway.jwt_authorizer import JwtAuthorizer, TokenRefused
from infra.local.gateway.messages import (
    FORBIDDEN,
    INTERNAL_ERROR,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHORIZED,
    UNAVAILABLE,
    Request,
    Response,
)
from infra.local.gateway.routes import Authorizer, Route, RouteTable, routes_of

MAX_BODY_BYTES = 10_485_760
"""API Gateway's limit of a request (10 MB)."""

_AUTHORIZER_LIMIT_S = 10.0
_THREADS = 256


class _Refused(Exception):
    """The authorizer did not let the request pass."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class HttpApi:
    """The one HTTP API of the template."""

    def __init__(self, parts: HttpApiParts, executor: Executor) -> None:
        """Take what runs the functions, and read routes and CORS."""
        self._executor = executor
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway-invoke")
        self.read(parts)

    def read(self, parts: HttpApiParts) -> None:
        """Read routes and CORS from the template's resources.

        Requests under way keep those that they found.
        """
        found = {name: api for name, api in parts.apis.items() if api.get("ProtocolType") == "HTTP"}
        if len(found) != 1:
            raise DeployError(f"the laptop serves exactly one HTTP API, the template has {len(found)}")
        ((self._api_id, properties),) = found.items()
        self._cors = Cors(properties.get("CorsConfiguration"))
        self.routes = RouteTable(routes_of(parts, self._api_id))

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        preflight = self._cors.preflight(request)
        if preflight is not None:
            return preflight
        return self._cors.dress(request, self._answer(request))

    def route_of(self, request: Request) -> str:
        """Name the route that a request takes, for a log."""
        found = self.routes.find(request.method, events.path_of(request))
        return f"{request.method} (no route)" if found is None else found[0].key

    def refuse(self, request: Request, refusal: Response) -> Response:
        """Add CORS headers to an early answer, so that browsers can read it."""
        return self._cors.dress(request, refusal)

    def close(self) -> None:
        """Let the threads go; what they wait for ends with the executor."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, request: Request) -> Response:
        if len(request.body) > MAX_BODY_BYTES:
            return TOO_LARGE
        found = self.routes.find(request.method, events.path_of(request))
        if found is None:
            return NOT_FOUND
        route, variables = found
        event = events.payload(request, route, variables, self._api_id)
        try:
            if isinstance(route.authorizer, JwtAuthorizer):
                token = _identity(route.authorizer.source, request, event)
                event["requestContext"]["authorizer"] = {"jwt": route.authorizer.authorize(token)}
            elif route.authorizer is not None:
                event["requestContext"]["authorizer"] = {
                    "lambda": self._authorize(request, route.authorizer, event)
                }
        except (_Refused, TokenRefused) as refused:
            return refused.response
        return self._integrate(route, event)

    def _integrate(self, route: Route, event: dict[str, Any]) -> Response:
        # As AWS measures: UTF-8. Escaped ASCII would make three bytes of a letter into six.
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        if len(payload) > MAX_REQUEST_BYTES:
            return TOO_LARGE
        try:
            result = self._invoke(route.function, payload, route.timeout_s)
        except (TookTooLong, Throttled):
            return UNAVAILABLE
        return INTERNAL_ERROR if result.function_error else events.response(result.payload)

    def _authorize(self, request: Request, authorizer: Authorizer, event: dict[str, Any]) -> dict[str, Any]:
        sources = [_identity(source, request, event) for source in authorizer.identity_sources]
        if not all(sources):
            raise _Refused(UNAUTHORIZED)
        method, path = event["requestContext"]["http"]["method"], event["rawPath"]
        question = {key: value for key, value in event.items() if key not in ("body", "isBase64Encoded")}
        question["type"] = "REQUEST"
        question["identitySource"] = sources or None
        question["routeArn"] = (
            f"arn:aws:execute-api:{account.REGION}:{account.ACCOUNT_ID}:{self._api_id}/$default/{method}{path}"
        )
        answer = self._ask(authorizer, question)
        if not answer["isAuthorized"]:
            raise _Refused(FORBIDDEN)
        context = answer.get("context")
        return context if isinstance(context, dict) else {}

    def _ask(self, authorizer: Authorizer, question: dict[str, Any]) -> dict[str, Any]:
        try:
            result = self._invoke(
                authorizer.function,
                json.dumps(question, ensure_ascii=False).encode(errors="replace"),
                _AUTHORIZER_LIMIT_S,
            )
            answer = None if result.function_error else json.loads(result.payload)
        except (TookTooLong, Throttled, ValueError):
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
            raise _Refused(INTERNAL_ERROR)
        return answer

    def _invoke(self, function: str, payload: bytes, limit_s: float) -> InvocationResult:
        # A person at a breakpoint takes as long as they like.
        limit = limit_s if self._executor.spec(function).debug_port is None else None
        return self._threads.submit(self._executor.invoke, function, payload).result(limit)


def _identity(source: str, request: Request, event: dict[str, Any]) -> str | None:
    place_name, _, name = source.removeprefix("$request.").partition(".")
    if place_name == "header":
        return request.header(name.lower())
    if place_name == "querystring":
        value = event.get("queryStringParameters", {}).get(name)
        return str(value) if value is not None else None
    raise DeployError(f"the identity source {source} is not known on the laptop")
