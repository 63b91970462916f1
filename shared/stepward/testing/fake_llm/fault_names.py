"""The faults that the provider can play, each with what it does."""

from __future__ import annotations

from typing import Final

REFUSED: Final = {
    "400": "the request is refused as invalid",
    "401": "the key is refused",
    "403": "the key may not do this",
    "408": "the request took too long",
    "409": "the request conflicts with another",
    "413": "the request is too large",
    "429": "too many requests, with `retry-after` (`retry_after_s`, `retry_after_ms`)",
    "quota": "what no waiting mends: the account has no credit (Anthropic 402, OpenAI 429, Bedrock 400)",
    "500": "an internal error",
    "503": "not available, with `x-should-retry: true` (`should_retry`)",
    "504": "a time-out at the provider",
    "529": "overloaded",
    "html": "502 with a page of HTML, as a gateway in between gives it",
}
"""Answers in place of a reply."""
BROKEN: Final = {
    "hang": "nothing is answered for `seconds` (30), then the connection is closed",
    "slow": "each event, or each part of a body, waits `seconds` (0.2)",
    "stall": "the answer stops in its middle for `seconds` (30), then the connection is closed",
    "cut": "the connection is closed in the middle of the answer",
    "stream_error": "an error event in the middle of the stream, `overloaded` as the vendor says it",
    "malformed_json": "the middle of the answer is no JSON",
    "html_ok": "200 with a page of HTML",
}
"""What goes wrong on the way."""
SPOILED: Final = {
    "wrong_arguments": "a call's arguments do not fit the tool's schema",
    "unreadable_arguments": "a call's arguments are no JSON",
    "unknown_tool": "a call names a tool that is not offered",
    "duplicate_ids": "all calls of the reply have one id",
    "refusal": "the model refuses",
    "content_filter": "a filter takes the reply back; Anthropic says `refusal` of both, so such a run ends as `ModelRefused`",
    "length": "the reply is cut at its length, a call's arguments too",
    "pause": "the vendor pauses a long turn",
    "context": "the context window is full",
    "empty": "the reply has no content",
    "overlong": "the reply has 3 MB of text",
}
"""Replies that are not what was asked for."""
FAULTS: Final = {**REFUSED, **BROKEN, **SPOILED}
