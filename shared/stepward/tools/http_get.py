"""Fetches a page from hosts that both the stage and the agent allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext
from stepward.tools.egress import Origin, Outgoing, check_allowed, must_be_allowed, send

MAX_BODY_BYTES: Final = 48 * 1024


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
    timeout_s = 10
    settings = HttpSettings
    arguments = Address

    def check_settings(self, settings: HttpSettings, http_allow: Sequence[str]) -> None:
        """Refuse an origin that the stage does not allow."""
        for entry in settings.allow:
            check_allowed(entry, http_allow, "config.allow")

    def run(self, arguments: Address, settings: HttpSettings, context: ToolContext) -> Any:
        """Return `{"status", "content_type", "body"}`; redirects are returned, never followed."""
        must_be_allowed(arguments.url, settings.allow, context.http_allow)
        found = send(Outgoing("GET", arguments.url, context.timeout_s, MAX_BODY_BYTES))
        asked = {} if found.retry_after_s is None else {"retry_after_s": found.retry_after_s}
        return {"status": found.status, "content_type": found.content_type, "body": found.text, **asked}
