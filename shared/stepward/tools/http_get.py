"""Fetches a page from the hosts that both the stage and the agent allow, and from nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from stepward.domain.errors import InvalidRequest, ToolFailed
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext, origin

MAX_BODY_BYTES: Final = 48 * 1024
TIMEOUT_S: Final = 10


Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$")]


class HttpSettings(Settings):
    """Which origins (`https://host[:port]`) this agent may fetch from."""

    allow: list[Origin] = Field(min_length=1, max_length=50)


class Address(Arguments):
    """What to fetch."""

    url: str = Field(min_length=8, max_length=2_000, description="The absolute URL, on an allowed host.")


class HttpGet(Tool[HttpSettings, Address]):
    """Fetches a URL."""

    name = "http_get"
    description = "Fetches a web address with GET and answers status, content type and the text of the body."
    effect = Effect.NONE
    placement = Placement.REMOTE
    timeout_s = TIMEOUT_S + 5
    settings = HttpSettings
    arguments = Address

    def check_settings(self, settings: HttpSettings, http_allow: Sequence[str]) -> None:
        """Refuse an origin that the stage does not allow."""
        for entry in settings.allow:
            if origin(entry) not in http_allow:
                allowed = ", ".join(http_allow) or "nothing yet"
                raise InvalidRequest(
                    f"{entry!r} is not on this stage's allow-list.",
                    field="config.allow",
                    fix=f"allowed are: {allowed}; the platform team adds hosts as `http_allow` in the stage's settings",
                )

    def run(self, arguments: Address, settings: HttpSettings, context: ToolContext) -> Any:
        """Answer `{"status", "content_type", "body"}`; redirects are shown, never followed."""
        wanted = origin(arguments.url)
        if wanted not in {origin(entry) for entry in settings.allow} or wanted not in context.http_allow:
            raise ToolFailed(f"{wanted} is not on the allow-list: {', '.join(settings.allow)}.")
        return _fetch(arguments.url)


def _fetch(url: str) -> dict[str, Any]:
    import urllib3  # noqa: PLC0415  only the room that fetches pays for it

    parts = urlsplit(url)
    pool = _pinned_pool(parts.scheme, parts.hostname or "", parts.port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        response = pool.request(
            "GET",
            path,
            headers={"Host": parts.netloc, "User-Agent": "stepward"},
            redirect=False,
            preload_content=False,
        )
        body = response.read(MAX_BODY_BYTES + 1, decode_content=True)
        response.close()
    except urllib3.exceptions.HTTPError as error:
        raise ToolFailed(f"{url} gave no answer: {type(error).__name__}.") from error
    if len(body) > MAX_BODY_BYTES:
        raise ToolFailed(f"{url} answers more than {MAX_BODY_BYTES} bytes, the most that a model is shown.")
    return {
        "status": response.status,
        "content_type": response.headers.get("content-type", ""),
        "body": body.decode("utf-8", "replace"),
    }


def _pinned_pool(scheme: str, host: str, port: int | None) -> Any:
    """Connect to the very address that was checked, so that a name cannot change its meaning in between."""
    import urllib3  # noqa: PLC0415  only the room that fetches pays for it

    address = _checked_address(host)
    timeout = urllib3.Timeout(connect=5, read=TIMEOUT_S, total=TIMEOUT_S)
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
