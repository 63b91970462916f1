"""Model calls: their context and backends, and the response cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.durations import A_YEAR_S
from stepward.domain.model_cards import Capabilities
from stepward.ports.clock import from_iso

DeltaKind = Literal["text", "thinking", "arguments"]


@dataclass(frozen=True)
class Delta:
    """A piece of a reply as it comes: of its answer, its thinking, or a call's arguments."""

    kind: DeltaKind
    text: str


@dataclass(frozen=True)
class Access:
    """How to reach a provider: its address, its key, and how long it may be silent.

    Args:
        key: The key that is sent; None where the vendor's own credentials are used, as AWS's are.
        url: Where to send calls to; None means the vendor's own address.
        silence_s: After how many seconds without a sign of life a stream counts as stalled.
    """

    key: SecretStr | None = None
    url: str | None = None
    silence_s: float = 90.0


def _nothing(_: Delta) -> None:
    """Ignore a piece."""


@dataclass(frozen=True)
class CallContext:
    """What one model call may use and must observe besides its request.

    Args:
        tenant: For whom the call is made.
        name: The same for every attempt at one call, in which each of them counts once.
        time_left_s: How many seconds the function may still run.
        is_over: Whether the reply is not wanted any more; asked about once a second while a reply streams.
        on_delta: Gets each piece of the reply as it comes.
        attached: The bytes of the request's attachments, by key.
        unanswered: The codes by which each model has failed since the run's newest turn, by the model's id.
        access: The way to the provider; this and what follows is set by the choice of model and key.
        provider: The name of the provider's entry.
        vendor_model: What the provider calls the model.
        capabilities: What the model can be asked for.
    """

    tenant: str = ""
    name: str = ""
    time_left_s: Callable[[], float] = lambda: 900.0
    is_over: Callable[[], bool] = lambda: False
    on_delta: Callable[[Delta], None] = _nothing
    attached: Mapping[str, bytes] = field(default_factory=dict)
    unanswered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    access: Access = field(default_factory=Access)
    provider: str = ""
    vendor_model: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)


class ModelBackend(Protocol):
    """One way to get a reply; raises `ProviderFault`s, never a vendor's error."""

    longest_call_s: float
    """How many seconds one call may take; a call begins only when the function has as many left."""

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Make one model call.

        Args:
            request: What the model is sent.
            call: What the call may use.

        Returns:
            The reply.

        Raises:
            ProviderFault: The model gave no whole reply.
        """

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        """Estimate how many tokens the request takes at most, without a call.

        Args:
            request: What the model would be sent.

        Returns:
            An upper bound, in tokens.
        """


@dataclass(frozen=True)
class ResponseKey:
    """Identifies a reply by its owner and by all that it answers.

    Args:
        tenant: Whose agent was answered; no other tenant can name the reply.
        agent: The agent's id.
        version: The agent's version.
        digest: A digest of the definition and of the call with all that its model is sent, as hexadecimal
            digits.
    """

    tenant: str
    agent: str
    version: str
    digest: str


class KeptReply(BaseModel):
    """A reply as its model gave it, with its usage.

    Args:
        reply: The reply.
        kept_at: When it was given.
        ttl_s: For how many seconds from then on it is reused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    reply: ModelReply
    kept_at: str
    ttl_s: int = Field(ge=1, le=A_YEAR_S)

    @model_validator(mode="after")
    def _has_its_time(self) -> Self:
        """Refuse times that this platform has not written, such as one without its zone."""
        try:
            is_aware = self.expires_at.tzinfo is not None
        except OverflowError as error:
            raise ValueError("it never expires") from error
        if not is_aware:
            raise ValueError("`kept_at` is without its time zone")
        return self

    @property
    def kept_since(self) -> datetime:
        """When the reply was given."""
        return from_iso(self.kept_at)

    @property
    def expires_at(self) -> datetime:
        """From when on the reply is not reused."""
        return self.kept_since + timedelta(seconds=self.ttl_s)


class ResponseCache(Protocol):
    """Stores replies by their keys."""

    def find(self, key: ResponseKey) -> KeptReply | None:
        """Read a reply, with one read.

        Args:
            key: The reply's key.

        Returns:
            What was stored last, which may have expired: a store removes late. None where there is nothing
            that this release can read.

        Raises:
            PlatformFault: The store does not answer.
        """

    def keep(self, key: ResponseKey, kept: KeptReply) -> None:
        """Store a reply in place of an earlier one, with one write.

        Args:
            key: The reply's key.
            kept: The reply, of at most 100,000 bytes as JSON.

        Raises:
            PlatformFault: The store does not answer.
        """
