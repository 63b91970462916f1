"""The one way out of the platform: to allowed hosts at public addresses."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints

from stepward.domain.callback_addresses import hidden
from stepward.domain.errors import InvalidRequest, ToolFailed, ToolUnavailable
from stepward.domain.json_text import without_mark
from stepward.domain.retries import retry_after_s
from stepward.domain.web_addresses import (
    METADATA_NAMES,
    Address,
    BadAddress,
    WebAddress,
    is_metadata,
    is_public,
    read_address,
)

CONNECT_S: Final = 5
GRACE_S: Final = 0.5
"""A request gives up this much earlier than its caller."""


def origin(url: str) -> str:
    """Return scheme, host and port of a URL in normal form; raises `BadAddress`.

    Allow-lists consist of these.
    """
    return read_address(url).origin


def _origin_only(entry: str) -> str:
    found = read_address(entry)
    if found.target != "/" or entry.endswith(("?", "#")):
        raise ValueError(
            "an entry of an allow-list is scheme, host and port only, as in https://shop.example:8443"
        )
    return found.origin


Origin = Annotated[str, StringConstraints(max_length=300), AfterValidator(_origin_only)]


@dataclass(frozen=True)
class Outgoing:
    """An HTTP request; `timeout_s` is its caller's, and the request gives up a little earlier."""

    method: str
    url: str
    timeout_s: float
    most_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Incoming:
    """A whole response."""

    status: int
    content_type: str
    body: bytes
    retry_after_s: float | None = None

    @property
    def text(self) -> str:
        """The body as text, without a byte-order mark; invalid UTF-8 is replaced."""
        return without_mark(self.body.decode("utf-8", "replace"))


def check_allowed(entry: str, http_allow: Sequence[str], field: str) -> None:
    """Refuse an origin that the stage does not allow, at registration."""
    try:
        wanted = origin(entry)
    except BadAddress as error:
        fix = "write it as in https://shop.example:8443/orders"
        raise InvalidRequest(f"{entry!r}: {error}.", field=field, fix=fix) from error
    if wanted not in _origins(http_allow):
        allowed = ", ".join(http_allow) or "nothing yet"
        raise InvalidRequest(
            f"{entry!r} is not on this stage's allow-list.",
            field=field,
            fix=f"allowed are: {allowed}; the platform team adds hosts as `http_allow` in the stage's settings",
        )


def must_be_allowed(url: str, entries: Collection[str], http_allow: Collection[str]) -> None:
    """Refuse a URL that agent or stage does not allow, before it is requested."""
    wanted = _read(url).origin
    if wanted not in _origins(entries) or wanted not in _origins(http_allow):
        raise ToolFailed(f"{wanted} is not on the allow-list: {', '.join(entries)}.")


def _origins(entries: Iterable[str]) -> set[str]:
    """Return allow-lists in normal form; an entry that is no origin allows nothing."""
    found = set()
    for entry in entries:
        with suppress(BadAddress):
            found.add(origin(entry))
    return found


def _read(url: str) -> WebAddress:
    try:
        return read_address(url)
    except BadAddress as error:
        raise ToolFailed(f"{url!r}: {error}.") from error


def send(request: Outgoing) -> Incoming:
    """Send a request and read the response; redirects are returned, never followed.

    Raises:
        ToolUnavailable: No response came.
        ToolFailed: The address may not be reached, or the response is too large.
    """
    import urllib3  # noqa: PLC0415  loaded by the first request alone

    place = _read(request.url)
    pool = _pinned_pool(place.scheme, place.host, place.port, request.timeout_s)
    headers = {"User-Agent": "stepward", **request.headers, "Host": place.netloc}
    try:
        response = pool.request(
            request.method,
            place.target,
            body=request.body,
            headers=headers,
            redirect=False,
            preload_content=False,
        )
        body = response.read(request.most_bytes + 1, decode_content=True)
        response.close()
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise _no_answer(request.url, error, has_begun=False) from error
    except urllib3.exceptions.HTTPError as error:
        raise _no_answer(request.url, error, has_begun=True) from error
    if len(body) > request.most_bytes:
        raise ToolFailed(
            f"{hidden(request.url)} answers more than {request.most_bytes} bytes, the most that is read."
        )
    headers = response.headers
    asked_s = retry_after_s(headers.get("retry-after"))
    return Incoming(response.status, headers.get("content-type", ""), body, asked_s)


def _no_answer(url: str, error: Exception, *, has_begun: bool) -> ToolUnavailable:
    return ToolUnavailable(f"{hidden(url)} gave no answer: {type(error).__name__}.", has_begun=has_begun)


def _pinned_pool(scheme: str, host: str, port: int | None, timeout_s: float) -> Any:
    """Return a pool that connects to the address that was checked.

    The name could resolve to another one in between.
    """
    import urllib3  # noqa: PLC0415  loaded by the first request alone

    address = _checked_address(host)
    total_s = max(timeout_s - GRACE_S, timeout_s / 2)
    timeout = urllib3.Timeout(connect=min(CONNECT_S, total_s), read=total_s, total=total_s)
    if scheme == "https":
        return urllib3.HTTPSConnectionPool(
            address, port or 443, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host
        )
    return urllib3.HTTPConnectionPool(address, port or 80, timeout=timeout, retries=False)


def _checked_address(host: str) -> str:
    """Resolve a name to a public address; an address that is itself on the allow-list is kept.

    The metadata services of clouds, which give machines their credentials, are always refused.
    """
    literal = _literal(host)
    if host in METADATA_NAMES or (literal and is_metadata(literal)):
        raise ToolFailed(
            f"{host} is where a cloud gives machines their credentials; requests to it are refused."
        )
    if literal:
        return str(literal)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ToolFailed(f"the host {host} cannot be resolved.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(ipaddress.ip_address(address)) for address in addresses):
        raise ToolFailed(f"the host {host} resolves to an address that is not public.")
    return addresses[0]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
