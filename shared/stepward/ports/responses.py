"""The response cache: whole replies of models, kept for a while and given again to calls that are equal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.conversation import ModelReply
from stepward.domain.durations import A_YEAR_S
from stepward.ports.clock import from_iso


@dataclass(frozen=True)
class ResponseKey:
    """Names a reply by whose it is and by all that it answers.

    Args:
        tenant: Whose agent was answered; nobody else can name the reply.
        agent: The agent's id.
        version: The agent's version.
        digest: A digest of the definition and of the call with all that its model is sent, as hexadecimal digits.
    """

    tenant: str
    agent: str
    version: str
    digest: str


class KeptReply(BaseModel):
    """A reply as its model gave it, with what it took.

    Args:
        reply: The reply.
        kept_at: When it was given.
        ttl_s: For how many seconds from then on it is given again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    reply: ModelReply
    kept_at: str
    ttl_s: int = Field(ge=1, le=A_YEAR_S)

    @model_validator(mode="after")
    def _has_its_time(self) -> Self:
        """Refuse what no clock of ours has written, such as a time without its zone."""
        try:
            is_aware = self.expires_at.tzinfo is not None
        except OverflowError as error:
            raise ValueError("it never expires") from error
        if not is_aware:
            raise ValueError("`kept_at` is without its time zone")
        return self

    @property
    def kept_since(self) -> datetime:
        """When it was given."""
        return from_iso(self.kept_at)

    @property
    def expires_at(self) -> datetime:
        """From when on it is not given any more."""
        return self.kept_since + timedelta(seconds=self.ttl_s)


class ResponseCache(Protocol):
    """Keeps replies by their names."""

    def find(self, key: ResponseKey) -> KeptReply | None:
        """Read a reply, with one read.

        Args:
            key: Its name.

        Returns:
            What was kept last, which may have expired: a store removes late. None where nothing is, or nothing that this
            release can read.

        Raises:
            PlatformFault: The store does not answer.
        """

    def keep(self, key: ResponseKey, kept: KeptReply) -> None:
        """Keep a reply in place of an earlier one, with one write.

        Args:
            key: Its name.
            kept: The reply, of at most 100,000 bytes as JSON.

        Raises:
            PlatformFault: The store does not answer.
        """
