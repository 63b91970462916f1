"""A model behind one protocol: messages, tools and limits in; text, calls and usage out."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.conversation import ModelReply, ModelRequest


class ModelBackend(Protocol):
    """One way to get a reply; raises the `ProviderFault`s, never a vendor's error."""

    def reply(self, request: ModelRequest) -> ModelReply:
        """Make one model call."""

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        """Tell how many tokens the request takes at most, without a call."""
