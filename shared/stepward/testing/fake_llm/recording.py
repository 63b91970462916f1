"""Play recorded answers, and record a real provider's where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx2

from stepward.testing.fake_llm.answers import EVENT_STREAM, Answer, whole_frames
from stepward.testing.fake_llm.cassettes import Cassettes, RecordedRequest
from stepward.testing.fake_llm.replies import Refusal
from stepward.testing.fake_llm.scripts import Unreadable

_LONGEST_S: Final = 600
_MOST_BYTES: Final = 64 * 1024 * 1024
_LEAST_KEY_CHARS: Final = 8
"""A shorter one is no secret, and would take its letters out of every word."""
_NOT_SENT: Final = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "expect"}
_KEPT: Final = {"request-id", "x-request-id", "x-amzn-requestid", "x-amzn-errortype"}
_OF_THE_KEY: Final = ("x-api-key", "authorization", "x-amz-security-token", "api-key")
_PASSING: Final = (401, 403, 408, 429)
"""Statuses that say nothing of the request; they are passed on and not kept, as are all from 500 on."""


class Recorder:
    """Play recorded exchanges, and record missing ones.

    Args:
        cassettes: The recorded exchanges.
        url: The real provider's address, without the path of a request.

    Raises:
        Unreadable: The address is none.
    """

    def __init__(self, cassettes: Cassettes, url: str | None) -> None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
            raise Unreadable(
                f"{url} is no address to record from; give one such as https://api.anthropic.com"
            )
        self._cassettes = cassettes
        self._url = url.rstrip("/") if url else None

    def answer(self, asked: RecordedRequest, raw: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer a request from a cassette, or by the real provider.

        Args:
            asked: The request.
            raw: Its body as it came.
            headers: Its headers, with its key.

        Returns:
            The answer.

        Raises:
            Refusal: No cassette fits, or the real provider cannot be asked.
        """
        kept = self._cassettes.find(asked)
        if kept is not None:
            return kept
        if self._url is None:
            raise self._cassettes.missing(asked)
        if headers.get("authorization", "").startswith("AWS4-"):
            raise Refusal(
                "a request that AWS's client has signed for this address cannot be sent to another; only what comes with a Bedrock API"
                " key, as a bearer token, can be recorded"
            )
        answer = self._asked(self._url, asked, raw, headers)
        if answer.status < 500 and answer.status not in _PASSING:
            self._cassettes.keep(asked, answer, _secrets(headers))
        return answer

    def _asked(self, url: str, asked: RecordedRequest, raw: bytes, headers: Mapping[str, str]) -> Answer:
        sent = {name: value for name, value in headers.items() if name not in _NOT_SENT}
        try:
            with (
                httpx2.Client(timeout=_LONGEST_S, follow_redirects=False) as client,
                client.stream(
                    asked.method,
                    f"{url}{asked.path}",
                    content=raw,
                    headers={**sent, "accept-encoding": "identity"},
                ) as response,
            ):
                return _answer(response, _body(response))
        except httpx2.HTTPError as error:
            raise Refusal(f"{url} cannot be asked: {type(error).__name__}", "unavailable") from error


def _body(response: httpx2.Response) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise Refusal(
                f"the answer has more than {_MOST_BYTES:,} bytes, too many for a cassette", "failed"
            )
    return body


def _answer(response: httpx2.Response, body: bytes) -> Answer:
    kind = response.headers.get("content-type", "application/json")
    is_stream = kind.startswith(("text/event-stream", EVENT_STREAM))
    headers = {name: value for name, value in response.headers.items() if name in _KEPT}
    return Answer(
        _parts(body, kind) if is_stream else (body,), response.status_code, kind, headers, is_stream
    )


def _parts(body: bytes, kind: str) -> tuple[bytes, ...]:
    """Split a stream into its events."""
    if kind.startswith(EVENT_STREAM):
        return tuple(whole_frames(body))
    return tuple(part for part in re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)", body) if part)


def _secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    values = [headers.get(name, "").removeprefix("Bearer ").strip() for name in _OF_THE_KEY]
    return tuple(value for value in values if len(value) >= _LEAST_KEY_CHARS)
