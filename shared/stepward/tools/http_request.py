"""Calls an HTTP API that the agent's definition describes; the model gives arguments only."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlencode

from pydantic import Field, StringConstraints, model_validator

from stepward.domain.callback_addresses import hidden
from stepward.domain.errors import ToolFailed, ToolUnavailable
from stepward.domain.json_schemas import fault_of_schema
from stepward.domain.json_text import NotJson, read_json
from stepward.domain.retries import Backoff, Retry, asks_to_wait
from stepward.domain.tools import Effect, Placement
from stepward.domain.web_addresses import BadAddress
from stepward.tools.arguments import read_described
from stepward.tools.base import Arguments, Settings, Tool, ToolContext
from stepward.tools.egress import Incoming, Outgoing, check_allowed, must_be_allowed, origin, send
from stepward.tools.large_results import KEPT_BYTES
from stepward.tools.templates import fault_of_url, filled, filled_url, text_of, variables_in

TIMEOUT_S: Final = 30
_RETRY: Final = Retry(strategy=Backoff.EXPONENTIAL, max_attempts=4, base_s=0.5, max_s=5, jitter=True)

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{0,1000}$")]
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key"})


class RequestSettings(Settings):
    """One request with variables such as `{order_id}` in path, query, headers and body.

    `arguments` is the JSON Schema of an object; without it each variable is a required text.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str = Field(min_length=8, max_length=2_000, pattern=r"^https?://[^\s?#][^\s#]*$")
    query: dict[str, str] = Field(default_factory=dict, max_length=50)
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=50)
    body: Any = None
    arguments: dict[str, Any] | None = None
    expect: list[int] = Field(default_factory=lambda: list(range(200, 300)), min_length=1, max_length=500)
    effect: Effect | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        place = re.split(r"[/?#]", self.url.partition("://")[2], maxsplit=1)[0]
        if variables_in(place) or "@" in place:
            raise ValueError("url: scheme, host and port are fixed; places stand in the path")
        try:
            origin(self.url)
        except BadAddress as error:
            raise ValueError(f"url: {error}") from error
        if fault := fault_of_url(self.url):
            raise ValueError(f"url: {fault}")
        if taken := [name for name in self.headers if name.lower() in _OURS]:
            raise ValueError(f"headers: {taken[0]} is set by the platform")
        if self.method == "GET" and self.body is not None:
            raise ValueError("body: a GET has none")
        if fault := fault_of_schema(self.parameters):
            raise ValueError(f"arguments: {fault}")
        if fault := self._fault_of_places():
            raise ValueError(f"arguments: {fault}")
        return self

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        if self.arguments is not None:
            return self.arguments
        places = sorted(self._places())
        return {
            "type": "object",
            "properties": {name: {"type": "string"} for name in places},
            "required": places,
        }

    def _places(self) -> set[str]:
        return variables_in([self.url, self.query, self.headers, self.body])

    def _fault_of_places(self) -> str | None:
        named, places = set(self.parameters.get("properties", {})), self._places()
        if differs := sorted(named ^ places):
            return f"{differs[0]!r} is {'nowhere in the request' if differs[0] in named else 'not described'}"
        sure = set(self.parameters.get("required", []))
        open_ended = sorted(variables_in(self.url) - sure)
        return f"{open_ended[0]!r} is in the path, so it is required" if open_ended else None


class HttpRequest(Tool[RequestSettings, Arguments]):
    """Makes one HTTP request."""

    name = "http_request"
    description = "Calls an HTTP API and answers its status and body."
    effect = Effect.ONCE
    placement = Placement.REMOTE
    timeout_s = TIMEOUT_S
    settings = RequestSettings
    arguments = Arguments

    def effect_with(self, settings: RequestSettings) -> Effect:
        """A GET only reads; anything else happens once, unless the agent knows better."""
        return settings.effect or (Effect.NONE if settings.method == "GET" else Effect.ONCE)

    def retry_with(self, settings: RequestSettings) -> Retry:
        """Return three retries, as for every call outside."""
        del settings
        return _RETRY

    def schema_with(self, settings: RequestSettings) -> dict[str, Any]:
        """Return the agent's own schema."""
        return settings.parameters

    def read_arguments(self, given: dict[str, Any], settings: RequestSettings) -> Any:
        """Validate the arguments against the agent's own schema."""
        return read_described(given, settings.parameters)

    def check_settings(self, settings: RequestSettings, http_allow: Sequence[str]) -> None:
        """Refuse a host that the stage does not allow."""
        check_allowed(settings.url, http_allow, "config.url")

    def run(self, arguments: Any, settings: RequestSettings, context: ToolContext) -> Any:
        """Return `{"status", "body"}`, the body parsed where it is JSON."""
        must_be_allowed(settings.url, [origin(settings.url)], context.http_allow)
        request = _request(arguments, settings, context)
        if context.circuits is None:
            return _answer(request, settings)
        return context.circuits.guard(
            context.tenant, origin(settings.url), context.call_id, lambda: _answer(request, settings)
        )


def _request(given: dict[str, Any], settings: RequestSettings, context: ToolContext) -> Outgoing:
    query = {name: text for name, text in filled(settings.query, given).items() if text is not None}
    headers = {name: text for name, text in filled(settings.headers, given).items() if text is not None}
    body = None if settings.body is None else json.dumps(filled(settings.body, given)).encode()
    if bad := [name for name, text in headers.items() if not re.fullmatch(r"[\x20-\x7e]*", text_of(text))]:
        raise ToolFailed(f"the header {bad[0]} would hold characters that headers cannot.")
    fixed = {"Content-Type": "application/json"} if body is not None else {}
    if settings.method != "GET" or settings.effect not in (None, Effect.NONE):
        fixed["Idempotency-Key"] = context.call_id
    return Outgoing(
        method=settings.method,
        url=_with_query(filled_url(settings.url, given), query),
        timeout_s=context.timeout_s,
        most_bytes=KEPT_BYTES,
        headers=fixed | {name: text_of(text) for name, text in headers.items()},
        body=body,
    )


def _with_query(url: str, query: dict[str, Any]) -> str:
    """Add the query of the settings to that of the URL."""
    if not query:
        return url
    said = urlencode({name: text_of(value) for name, value in query.items()})
    return f"{url}{'&' if '?' in url else '?'}{said}"


def _answer(request: Outgoing, settings: RequestSettings) -> dict[str, Any]:
    found = send(request)
    if found.status in settings.expect:
        return {"status": found.status, "body": _body(found)}
    raise _failure(request, found)


def _failure(request: Outgoing, found: Incoming) -> ToolFailed | ToolUnavailable:
    said = hidden(f"{request.method} {request.url} answered {found.status}: {found.text[:500]}")
    error: ToolFailed | ToolUnavailable = ToolFailed(said)
    if found.status == 429 or found.status >= 500:
        asked_s = found.retry_after_s
        begun = found.status != 429
        error = ToolUnavailable(said + asks_to_wait(asked_s), has_begun=begun, retry_after_s=asked_s)
    error.status = found.status
    return error


def _body(found: Incoming) -> Any:
    if "json" not in found.content_type:
        return found.text
    try:
        return read_json(found.body)
    except NotJson:
        return found.text
