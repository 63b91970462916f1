"""What the provider is told to say: replies and faults, as a script has them."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stepward.testing.fake_llm.fault_names import FAULTS

Stop = Literal["end", "tools", "length", "refused", "filtered", "context", "pause"]
MOST_SECONDS: Final = 600
"""No reply waits longer, whatever its script says."""


class _Told(BaseModel):
    """A value of a script: unknown fields are refused, so that no misspelled one is lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Told):
    """A tool call of a reply; `arguments_text` in place of `arguments` sends text that may be no JSON."""

    tool: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)
    arguments_text: str | None = None
    id: str | None = None


class Counts(_Told):
    """Token counts to report in place of those that are counted, e.g. for a test of what a call costs."""

    input_tokens: int | None = Field(default=None, ge=0)
    cache_read_tokens: int | None = Field(default=None, ge=0)
    cache_write_tokens: int | None = Field(default=None, ge=0)
    cache_write_1h_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)
    reasoning_tokens: int | None = Field(default=None, ge=0)


class Fault(_Told):
    """Something that goes wrong with one request.

    `after_events` says how much of a stream is sent before it (default: half), `seconds` how long it waits.
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


class Reply(_Told):
    """One reply of a script, or a fault in its place.

    Args:
        text: What the model says.
        thinking: What it thinks before that; a list is as many blocks.
        calls: The tools that it calls.
        stop: Why it stops; by default `tools` when it calls any, else `end`.
        usage: Token counts to report in place of those that are counted.
        fault: What goes wrong; alone, or with a reply that it spoils.
        repeat: Answer every later request too; on the last reply only.
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
        """Why it stops."""
        return self.stop or ("tools" if self.calls else "end")
