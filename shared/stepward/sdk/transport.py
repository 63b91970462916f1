"""Send requests, retry those that are safe to repeat, and translate failures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential, wait_random

from stepward.sdk.errors import ApiError, BadCall, StepwardError, Unreachable
from stepward.sdk.shapes import StartOptions

RETRIED_STATUSES = frozenset({429, 503})
ATTEMPTS = 4
LONGEST_RETRYING_S = 30.0
# A company's proxy settings must not send calls for the laptop out of the machine.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Answered = TypeVar("Answered")
_BACKOFF = wait_exponential(multiplier=0.2, max=5.0) + wait_random(0, 0.2)


class Transport:
    """Send requests to one stage with one key; raises only errors of `stepward.sdk.errors`."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        timeout_s: float = 30.0,
        http: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = _checked_url(url)
        self.timeout_s = timeout_s
        self._sleep = sleep
        headers = {"accept": "application/json", "user-agent": "stepward-python"}
        if api_key:
            headers["authorization"] = f"Bearer {header_safe('API key', api_key)}"
        self._http = httpx2.Client(
            base_url=self.url,
            headers=headers,
            timeout=timeout_s,
            transport=http,
            trust_env=httpx2.URL(self.url).host not in LOOPBACK,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read a JSON document; retried, as a read changes nothing."""
        return self._retrying(lambda: self._call("GET", path, params=params))

    def get_text(self, path: str, params: Mapping[str, Any] | None = None) -> str:
        """Read an answer that is not JSON, such as a drawing."""
        return self._retrying(lambda: self._exchange("GET", path, params=params)).text

    def get_bytes(self, path: str) -> bytes:
        """Read a file's bytes."""
        return self._retrying(lambda: self._exchange("GET", path)).content

    def put_bytes(self, path: str, body: bytes, content_type: str) -> dict[str, Any]:
        """Write a file's bytes; retried, as a repeat changes nothing."""
        headers = {"content-type": content_type}
        return self._retrying(lambda: self._call("PUT", path, content=body, headers=headers))

    def post_signed(self, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Send a signed call; retried, as the server knows a repeat by its id."""
        sent = {"content-type": "application/json", **headers}
        return self._retrying(lambda: self._call("POST", path, content=body, headers=sent))

    def probe(self, path: str, good: frozenset[int] = frozenset({200})) -> dict[str, Any]:
        """Read once, without retries: a health check is about this moment."""
        return self._call("GET", path, good=good)

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        """Write once: without an idempotency key a repeat could write twice."""
        return self._call("POST", path, content=encode(body))

    def put(self, path: str, body: object) -> dict[str, Any]:
        """Set a value; retried, as a repeat changes nothing."""
        content = encode(body)
        return self._retrying(lambda: self._call("PUT", path, content=content))

    def delete(self, path: str) -> dict[str, Any]:
        """Remove once: a repeat after a lost answer would only find nothing to remove."""
        return self._call("DELETE", path)

    def post_once(
        self, path: str, body: object, idempotency_key: str | None = None, *, wait: int = 0
    ) -> dict[str, Any]:
        """Write with an idempotency key, by which the server knows a repeat; retried.

        Args:
            path: Where to.
            body: The body; None for none.
            idempotency_key: The caller's own. Default: a new one.
            wait: Seconds that the server may hold the call. Default: 0.
        """
        content, params = encode(body), {"wait": wait or None}
        key = idempotency_key if idempotency_key is not None else f"sdk-{uuid4().hex}"
        headers = {"idempotency-key": header_safe("idempotency key", key)}
        timeout_s = self.timeout_s + wait
        return self._retrying(
            lambda: self._call(
                "POST", path, params=params, content=content, headers=headers, timeout_s=timeout_s
            )
        )

    def post_document(
        self, path: str, content: bytes, content_type: str, params: Mapping[str, Any], wait_s: float = 0.0
    ) -> httpx2.Response:
        """Send a document as it was written; retried, as the server knows one that it has."""
        headers = {"content-type": content_type}
        timeout_s = self.timeout_s + wait_s
        return self._retrying(
            lambda: self._exchange(
                "POST", path, params=params, content=content, headers=headers, timeout_s=timeout_s
            )
        )

    def _retrying(self, call: Callable[[], Answered]) -> Answered:
        retrying = Retrying(
            retry=retry_if_exception(is_transient),
            wait=pause_s,
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(LONGEST_RETRYING_S),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(call)

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return document_in(self._exchange(method, path, **more))

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        good: frozenset[int] = frozenset(range(200, 300)),
    ) -> httpx2.Response:
        query = {name: value for name, value in (params or {}).items() if value is not None}
        sent = {**({"content-type": "application/json"} if content is not None else {}), **(headers or {})}
        try:
            response = self._http.request(
                method, path, params=query, content=content, headers=sent, timeout=timeout_s or self.timeout_s
            )
        except httpx2.RequestError as error:
            raise unreachable(self.url, error) from error
        if response.status_code not in good:
            raise ApiError.from_response(response)
        return response


def is_transient(error: BaseException) -> bool:
    """Return True for an error that a repeat may cure.

    That is no answer at all, too many requests (429), or a service that is briefly unavailable (503).
    """
    if isinstance(error, ApiError):
        return error.status in RETRIED_STATUSES
    return isinstance(error, Unreachable)


def pause_s(state: RetryCallState) -> float:
    """Return the pause that the server asks for, or an exponential one with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ApiError) and error.retry_after_s is not None:
        return error.retry_after_s
    return _BACKOFF(state)


def unreachable(url: str, error: httpx2.RequestError) -> StepwardError:
    """Explain why no answer came; the library's own message is often empty or an errno."""
    if isinstance(error, httpx2.TimeoutException):
        return Unreachable(
            f"{url} did not answer in time.", "Is it overloaded? Try again, or give it more time."
        )
    reason = str(error) or type(error).__name__
    return Unreachable(
        f"{url} cannot be reached ({reason}).", "Is `stepward up` running, and is the URL right?"
    )


def without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without the fields that are None."""
    return {name: value for name, value in body.items() if value is not None}


def start_options(options: StartOptions) -> dict[str, Any]:
    """Return the options of a start that are set.

    Raises:
        TypeError: No start has an option of that name.
    """
    for name in options:
        if name not in StartOptions.__optional_keys__:
            raise TypeError(f"a start has no option {name!r}")
    return without_none(options)


def path_to(*segments: str) -> str:
    """Build a path from ids, quoted so that an id can never become another path."""
    for segment in segments:
        if not segment.strip() or segment in {".", ".."}:
            raise BadCall(
                f"{segment!r} is not an id.",
                "Give the id as `stepward agents ls` or `stepward runs ls` shows it.",
            )
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def encode(body: object) -> bytes | None:
    """Encode a body as JSON, refusing what JSON cannot hold (NaN, dates, bytes, cycles)."""
    if body is None:
        return None
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise BadCall(
            f"The body is not JSON: {error}.", "Use only text, numbers, true, false, null, lists, objects."
        ) from error


def header_safe(what: str, value: str) -> str:
    """Refuse a header value with line breaks or other unsafe characters.

    The HTTP library would refuse it too, but without naming the value.
    """
    if value and value.isascii() and value.isprintable() and value == value.strip():
        return value
    raise BadCall(
        f"The {what} has characters that no HTTP header can carry.", f"Copy the {what} again, without spaces."
    )


def _checked_url(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise BadCall(f"{url!r} is not a URL: {error}.", "Write it as http://127.0.0.1:8400.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise BadCall(f"{url!r} is not an http(s) URL.", "Write it as http://127.0.0.1:8400.")
    return url.rstrip("/")


def document_in(response: httpx2.Response) -> dict[str, Any]:
    """Parse the JSON document of an answer; anything else did not come from Stepward."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    raise ApiError.from_response(response)
