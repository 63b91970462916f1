"""The one way out of the platform: to hosts that stage and agent allow, at addresses that are public."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import StringConstraints

from stepward.domain.errors import InvalidRequest, ToolFailed, ToolUnavailable
from stepward.domain.retry_after import retry_after_s

CONNECT_S: Final = 5
_GRACE_S: Final = 0.5

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$")]


@dataclass(frozen=True)
class Outgoing:
    """A request as it leaves; `timeout_s` is the caller's whole patience, of which the request takes a little less."""

    method: str
    url: str
    timeout_s: float
    most_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Incoming:
    """What came back, whole."""

    status: int
    content_type: str
    body: bytes
    retry_after_s: float | None = None

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")


def origin(url: str) -> str:
    """Scheme, host and port of a URL: what allow-lists name."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def check_allowed(entry: str, http_allow: Sequence[str], field: str) -> None:
    """Refuse an origin that the stage does not allow, when an agent is registered."""
    if origin(entry) not in http_allow:
        allowed = ", ".join(http_allow) or "nothing yet"
        raise InvalidRequest(
            f"{entry!r} is not on this stage's allow-list.",
            field=field,
            fix=f"allowed are: {allowed}; the platform team adds hosts as `http_allow` in the stage's settings",
        )


def must_be_allowed(url: str, entries: Collection[str], http_allow: Collection[str]) -> None:
    """Refuse a URL that agent or stage does not allow, when it is about to be asked."""
    wanted = origin(url)
    if wanted not in {origin(entry) for entry in entries} or wanted not in http_allow:
        raise ToolFailed(f"{wanted} is not on the allow-list: {', '.join(entries)}.")


def send(request: Outgoing) -> Incoming:
    """Send a request and read the answer; redirects are shown, never followed. Raises `ToolUnavailable`, `ToolFailed`."""
    import urllib3  # noqa: PLC0415  only the room that goes out pays for it

    parts = urlsplit(request.url)
    pool = _pinned_pool(parts.scheme, parts.hostname or "", parts.port, request.timeout_s)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": "stepward", **request.headers, "Host": parts.netloc}
    try:
        response = pool.request(
            request.method, path, body=request.body, headers=headers, redirect=False, preload_content=False
        )
        body = response.read(request.most_bytes + 1, decode_content=True)
        response.close()
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise _no_answer(request.url, error, has_begun=False) from error
    except urllib3.exceptions.HTTPError as error:
        raise _no_answer(request.url, error, has_begun=True) from error
    if len(body) > request.most_bytes:
        raise ToolFailed(
            f"{request.url} answers more than {request.most_bytes} bytes, the most that is read."
        )
    headers = response.headers
    asked_s = retry_after_s(headers.get("retry-after"))
    return Incoming(response.status, headers.get("content-type", ""), body, asked_s)


def _no_answer(url: str, error: Exception, *, has_begun: bool) -> ToolUnavailable:
    return ToolUnavailable(f"{url} gave no answer: {type(error).__name__}.", has_begun=has_begun)


def _pinned_pool(scheme: str, host: str, port: int | None, timeout_s: float) -> Any:
    """Connect to the very address that was checked, so that a name cannot change its meaning in between."""
    import urllib3  # noqa: PLC0415  only the room that goes out pays for it

    address = _checked_address(host)
    total_s = max(timeout_s - _GRACE_S, timeout_s / 2)
    timeout = urllib3.Timeout(connect=min(CONNECT_S, total_s), read=total_s, total=total_s)
    if scheme == "https":
        return urllib3.HTTPSConnectionPool(
            address, port or 443, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host
        )
    return urllib3.HTTPConnectionPool(address, port or 80, timeout=timeout, retries=False)


def _checked_address(host: str) -> str:
    """Resolve a name to a public address; an address that stands on the allow-list itself is taken as it is."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ToolFailed(f"the host {host} cannot be resolved.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(ipaddress.ip_address(address).is_global for address in addresses):
        raise ToolFailed(f"the host {host} resolves to an address that is not public.")
    return addresses[0]
