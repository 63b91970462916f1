"""Counts the tokens that a prompt takes at most, without asking its vendor."""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from stepward.domain.conversation import FOR_THE_BOOKS, ModelRequest

MOST_BYTES_A_TOKEN: Final = 2.0
"""Of unknown text: fewer bytes a token than text has, so that a reservation is seldom too small."""


def most_prompt_tokens(request: ModelRequest) -> int:
    """Count what the last call has really taken, and the most that what came since can.

    Args:
        request: The call to make.

    Returns:
        Tokens, those of the attachments among them.
    """
    told = next(
        (n for n, one in reversed([*enumerate(request.history)]) if one.reply.measured.prompt_tokens), None
    )
    if told is None:
        files = sum(one.tokens for one in request.attachments)
        return files + ceil(_bytes(request) / MOST_BYTES_A_TOKEN)
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
    return usage.prompt_tokens + ceil(_bytes(fresh) / MOST_BYTES_A_TOKEN)


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
