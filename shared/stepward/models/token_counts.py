"""Reads token counts that vendors report, and estimates those that they do not."""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from stepward.domain.conversation import FOR_THE_BOOKS, ModelRequest

MOST_TOKENS: Final = 1_000_000_000
"""More than any call takes; a greater number would be a sum that no store takes."""
BYTES_PER_TOKEN: Final = 3.6
"""The length of a token in English; only for estimates of what a vendor has not counted."""
MOST_BYTES_A_TOKEN: Final = 2.0
"""For unknown text, less than a token has, so that a reservation is seldom too small."""


def reported_tokens(said: object) -> int:
    """Read a token count that a server reports.

    Args:
        said: Its value, of whatever type.

    Returns:
        Tokens from 0 to a billion, a fraction rounded up; 0 for what is no number.
    """
    if isinstance(said, bool) or not isinstance(said, int | float) or said != said:  # noqa: PLR0124  NaN alone differs from itself
        return 0
    return ceil(min(max(0, said), MOST_TOKENS))


def estimated_tokens(size_bytes: int) -> int:
    """Estimate the tokens of a text."""
    return ceil(size_bytes / BYTES_PER_TOKEN)


def estimated_prompt_tokens(request: ModelRequest) -> int:
    """Estimate the tokens of a prompt, with its attachments."""
    return _prompt_tokens(request, BYTES_PER_TOKEN)


def most_prompt_tokens(request: ModelRequest) -> int:
    """Return the most tokens that a prompt can take, with its attachments."""
    return _prompt_tokens(request, MOST_BYTES_A_TOKEN)


def _prompt_tokens(request: ModelRequest, bytes_a_token: float) -> int:
    """Add the tokens of the last counted call, and an estimate of what came since."""
    last = next(
        (n for n, one in reversed([*enumerate(request.history)]) if one.reply.measured.prompt_tokens), None
    )
    if last is None:
        files = sum(one.tokens for one in request.attachments)
        return files + ceil(_bytes(request) / bytes_a_token)
    usage = request.history[last].reply.measured
    fresh = request.model_copy(
        update={
            "history": request.history[last:],
            "prompt": "",
            "tools": (),
            "input": "",
            "attachments": (),
            "condensed": None,
        }
    )
    return usage.prompt_tokens + ceil(_bytes(fresh) / bytes_a_token)


def _bytes(request: ModelRequest) -> int:
    """Return a request's size without what is never sent to a model, such as past costs."""
    return len(request.model_dump_json(exclude=_NOT_SENT).encode())


_NOT_SENT: Final[Any] = {
    "options": True,
    "own_turn": True,
    "left_out": True,
    "history": {
        "__all__": {"results": {"__all__": FOR_THE_BOOKS}, "reply": {"usage", "request_id", "cache_hit"}}
    },
}
