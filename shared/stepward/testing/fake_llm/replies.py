"""The replies, faults and refusals that a script can name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

REFUSED: Final = {
    "400": "the request is refused as invalid",
    "401": "the key is refused",
    "403": "the key may not do this",
    "408": "the request took too long",
    "409": "the request conflicts with another",
    "413": "the request is too large",
    "429": "too many requests, with `retry-after` (`retry_after_s`, `retry_after_ms`)",
    "quota": "waiting does not help: the account has no credit (Anthropic 402, OpenAI 429, Bedrock 400)",
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
Stop = Literal["end", "tools", "length", "refused", "filtered", "context", "pause"]
MOST_SECONDS: Final = 600
"""No reply waits longer, whatever its script says."""


class _ScriptValue(BaseModel):
    """A value of a script: unknown fields are refused, so that no misspelled one is lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_ScriptValue):
    """A tool call of a reply.

    Args:
        tool: The tool's name.
        arguments: Its arguments. Default: none.
        arguments_text: Text in place of `arguments`, which need not be JSON.
        id: The call's id. Default: one that the provider makes.

    Example:
        >>> Call(tool="find_order", arguments={"order": "SO-1"}).id is None
        True
    """

    tool: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)
    arguments_text: str | None = None
    id: str | None = None


class Counts(_ScriptValue):
    """Token counts to report in place of the counted ones, such as for a test of costs.

    Args:
        input_tokens: Tokens of the prompt outside of the cache.
        cache_read_tokens: Tokens read from the prompt cache.
        cache_write_tokens: Tokens written into the prompt cache for five minutes.
        cache_write_1h_tokens: Tokens written into the prompt cache for an hour.
        output_tokens: Tokens of the reply, with its reasoning.
        reasoning_tokens: Tokens of its reasoning.

    Example:
        >>> Counts(output_tokens=120).input_tokens is None
        True
    """

    input_tokens: int | None = Field(default=None, ge=0)
    cache_read_tokens: int | None = Field(default=None, ge=0)
    cache_write_tokens: int | None = Field(default=None, ge=0)
    cache_write_1h_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)
    reasoning_tokens: int | None = Field(default=None, ge=0)


class Fault(_ScriptValue):
    """A fault to play with one request.

    Args:
        name: One of `FAULTS`.
        after_events: Events of a stream that are sent before it. Default: half of them.
        seconds: Seconds that it waits, at most 600. Default: as `FAULTS` says.
        retry_after_s: The header `retry-after`: seconds, or a date as text. Default: 1 with a 429, else none.
        retry_after_ms: The header `retry-after-ms`. Default: none.
        should_retry: The header `x-should-retry`. Default: true with a 503, else none.

    Raises:
        ValidationError: There is no such fault, or a value is out of range.

    Example:
        >>> Fault(name="429", retry_after_s=3).name
        '429'
    """

    name: str
    after_events: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0, le=MOST_SECONDS)
    retry_after_s: float | str | None = None
    retry_after_ms: float | None = Field(default=None, ge=0)
    should_retry: bool | None = None

    @field_validator("name", mode="before")
    @classmethod
    def _known(cls, name: Any) -> str:
        if str(name) not in FAULTS:
            raise ValueError(f"{str(name)!r} is no fault; use one of: {', '.join(FAULTS)}")
        return str(name)


class Reply(_ScriptValue):
    """One reply of a script, or a fault in its place.

    Args:
        text: The model's text. Default: none.
        thinking: Its thinking before that; a list is as many blocks.
        calls: The tools that it calls.
        stop: Its stop reason. Default: `tools` when it calls any, else `end`.
        usage: Token counts to report in place of the counted ones.
        fault: A fault: alone, or with a reply that it spoils.
        repeat: Answer every later request too; on the last reply only. Default: False.

    Raises:
        ValidationError: A field is unknown or invalid.

    Example:
        >>> Reply(calls=[Call(tool="find_order")]).stopped
        'tools'
    """

    text: str = ""
    thinking: str | list[str] = Field(default_factory=list)
    calls: list[Call] = Field(default_factory=list)
    stop: Stop | None = None
    usage: Counts = Counts()
    fault: Fault | None = None
    repeat: bool = False

    @field_validator("fault", mode="before")
    @classmethod
    def _named(cls, fault: Any) -> Any:
        return {"name": fault} if isinstance(fault, str | int) else fault

    @model_validator(mode="after")
    def _stop_fits(self) -> Self:
        if self.stop == "tools" and not self.calls:
            raise ValueError("stop: a reply that stops for `tools` has `calls`; add them or remove `stop`")
        return self

    @property
    def thoughts(self) -> list[str]:
        """The blocks of thinking."""
        return [self.thinking] if isinstance(self.thinking, str) else self.thinking

    @property
    def stopped(self) -> Stop:
        """The stop reason."""
        return self.stop or ("tools" if self.calls else "end")


Kind = Literal[
    "invalid", "unauthorized", "forbidden", "missing", "conflict", "large", "throttled", "quota",
    "failed", "unavailable", "overloaded", "late",
]  # fmt: skip
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Refusal(Exception):
    """An error that the provider answers with.

    Args:
        message: What is wrong, in the vendor's words.
        kind: The vendors' kind of error.
        param: The field that is wrong, where the vendor names it apart.
        code: The vendor's code for it.
        headers: Headers that come with it, such as `retry-after`.
    """

    def __init__(
        self,
        message: str,
        kind: Kind = "invalid",
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind: Kind = kind
        self.param = param
        self.code = code
        self.headers = headers
