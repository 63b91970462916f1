"""Reads what vendors count, and counts what they do not: the tokens of a text, of a prompt, and the most of one."""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from stepward.domain.conversation import FOR_THE_BOOKS, ModelRequest

MOST_TOKENS: Final = 1_000_000_000
"""More than any call takes; a server's word beyond it would be a sum that no store keeps."""
BYTES_PER_TOKEN: Final = 3.6
"""What a token takes in English; only for what a vendor has not counted, never for a bill that it has."""
MOST_BYTES_A_TOKEN: Final = 2.0
"""Of unknown text: fewer bytes a token than text has, so that a reservation is seldom too small."""


def reported_tokens(said: object) -> int:
    """Read what a server counts.

    Args:
        said: Its word, of whatever type.

    Returns:
        Tokens from 0 to a billion, a fraction rounded up; 0 for what is no number.
    """
    if isinstance(said, bool) or not isinstance(said, int | float) or said != said:  # noqa: PLR0124  NaN alone differs from itself
        return 0
    return ceil(min(max(0, said), MOST_TOKENS))


def estimated_tokens(size_bytes: int) -> int:
    """Estimate how many tokens a text takes."""
    return ceil(size_bytes / BYTES_PER_TOKEN)


def estimated_prompt_tokens(request: ModelRequest) -> int:
    """Estimate how many tokens a prompt takes, those of its attachments among them."""
    return _prompt_tokens(request, BYTES_PER_TOKEN)


def most_prompt_tokens(request: ModelRequest) -> int:
    """Count the most that a prompt can take, those of its attachments among it."""
    return _prompt_tokens(request, MOST_BYTES_A_TOKEN)


def _prompt_tokens(request: ModelRequest, bytes_a_token: float) -> int:
    """Count what the last call has really taken, and what came since by its bytes."""
    told = next(
        (n for n, one in reversed([*enumerate(request.history)]) if one.reply.measured.prompt_tokens), None
    )
    if told is None:
        files = sum(one.tokens for one in request.attachments)
        return files + ceil(_bytes(request) / bytes_a_token)
    usage = request.history[told].reply.measured
    fresh = request.model_copy(
        update={
            "history": request.history[told:],
            "prompt": "",
            "tools": (),
            "input": "",
            "attachments": (),
            "condensed": None,
        }
    )
    return usage.prompt_tokens + ceil(_bytes(fresh) / bytes_a_token)


def _bytes(request: ModelRequest) -> int:
    """Count what a request is written with; what a call has cost is for the books and no model is sent it."""
    return len(request.model_dump_json(exclude=_NOT_SENT).encode())


_NOT_SENT: Final[Any] = {
    "options": True,
    "own_turn": True,
    "left_out": True,
    "history": {
        "__all__": {"results": {"__all__": FOR_THE_BOOKS}, "reply": {"usage", "request_id", "cache_hit"}}
    },
}
