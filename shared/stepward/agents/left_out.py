"""Writes what a model is told in place of the turns that it is not shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from stepward.domain.conversation import Condensation, Exchange, ToolResult
from stepward.tools.large_results import CUT_FROM_BYTES, is_reference, size_bytes

MOST_LISTED: Final = 10
_SAID_CHARS: Final = 500
_MOST_TOOLS: Final = 30

Numbered = tuple[int, Exchange]
"""A turn's number, and the turn."""


def text_for(left_out: Sequence[Numbered], said: Condensation) -> str:
    """Write what stands for turns: their numbers, a summary, the calls that it does not tell of, what can be read of results.

    Args:
        left_out: The turns, in order.
        said: The decision that they are left out by, with the summary if there is one.

    Returns:
        The text, the same for the same turns; empty where none is left out.
    """
    if not left_out:
        return ""
    untold = [(turn, one) for turn, one in left_out if turn > said.summarised_through]
    parts = [f"[{_which(said)} of this conversation are left out, to leave room for what follows."]
    if said.summary:
        which = "them" if not untold else f"those up to {said.summarised_through}"
        parts.append(f"A summary of {which}:\n{said.summary}\n")
    parts += [*_calls(untold), *_words(untold)]
    listed = [_place(one, said) for one in listed_results(left_out, said)]
    if listed:
        parts.append(f"Results of theirs that read_result still reads: {'; '.join(listed)}.")
    return f"{' '.join(parts)}]"


def left_out_of(history: Sequence[Exchange], said: Condensation) -> list[Numbered]:
    """Give the turns that are left out of a history."""
    return [(turn, one) for turn, one in enumerate(history, start=1) if said.leaves_out(turn)]


def listed_results(left_out: Sequence[Numbered], said: Condensation) -> list[ToolResult]:
    """Give the newest large results of turns that are left out; none where they could not be read."""
    if said.kept_in is None:
        return []
    found = [result for _, one in left_out for result in one.results if _is_large(result)]
    return found[-MOST_LISTED:]


def _is_large(result: ToolResult) -> bool:
    return is_reference(result.content) or size_bytes(result.content) > CUT_FROM_BYTES


def _place(result: ToolResult, said: Condensation) -> str:
    own = is_reference(result.content)
    reference = result.content["reference"] if own else f"{said.kept_in}/{result.call}"
    size = result.content["bytes"] if own else size_bytes(result.content)
    return f"{reference} ({result.tool}, {size} bytes)"


def _which(said: Condensation) -> str:
    but = " and ".join(str(turn) for turn in said.kept if turn <= said.through)
    return f"The turns 1 to {said.through}{f' but for {but}' if but else ''}"


def _calls(left_out: Sequence[Numbered]) -> Iterator[str]:
    """Say which tools were called, and how often in vain."""
    called = Counter(call.tool for _, one in left_out for call in one.reply.calls)
    failed = Counter(result.tool for _, one in left_out for result in one.results if result.error)
    if not called:
        return
    named = [f"{tool} {_times(n, failed[tool])}" for tool, n in sorted(called.items())[:_MOST_TOOLS]]
    more = f" and {len(called) - _MOST_TOOLS} more tools" if len(called) > _MOST_TOOLS else ""
    yield f"In them you called {', '.join(named)}{more}."


def _times(calls: int, failed: int) -> str:
    times = "once" if calls == 1 else f"{calls} times"
    return f"{times} ({failed} in vain)" if failed else times


def _words(left_out: Sequence[Numbered]) -> Iterator[str]:
    """Repeat the last that the model said itself."""
    last = next((one.reply.text.strip() for _, one in reversed(left_out) if one.reply.text.strip()), "")
    if last:
        yield f"Your last words in them: {last[:_SAID_CHARS]}{'…' if len(last) > _SAID_CHARS else ''}"
