"""Fit a conversation into its model's window by leaving out turns and cutting results.

A decision holds from one turn until a later decision. Between two of them a prompt only grows at its end, so
that its beginning stays equal to the byte and a provider's cache still matches. So each decision frees half
of the window at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import Condensation, Exchange, ToolResult
from stepward.domain.model_cards import ModelCard
from stepward.domain.money import Price, Usage
from stepward.domain.run_state import RunState
from stepward.models.cards import card_of
from stepward.tools.ask_person import AskPerson
from stepward.tools.large_results import CUT_FROM_BYTES, is_reference, shortened, size_bytes
from stepward.tools.read_result import ReadResult

MOST_LISTED: Final = 10
_SAID_CHARS: Final = 500
_MOST_TOOLS: Final = 30
Numbered = tuple[int, Exchange]
"""A turn's number, and the turn."""


def text_for(left_out: Sequence[Numbered], said: Condensation) -> str:
    """Write the text that replaces turns: numbers, summary, other calls, and readable results.

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
    """List the turns that are left out of a history."""
    return [(turn, one) for turn, one in enumerate(history, start=1) if said.leaves_out(turn)]


def listed_results(left_out: Sequence[Numbered], said: Condensation) -> list[ToolResult]:
    """List the newest large results of turns that are left out; none where none can be read."""
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
    """Summarise which tools were called, and how often they failed."""
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
    """Quote the model's own last text."""
    last = next((one.reply.text.strip() for _, one in reversed(left_out) if one.reply.text.strip()), "")
    if last:
        yield f"Your last words in them: {last[:_SAID_CHARS]}{'…' if len(last) > _SAID_CHARS else ''}"


MARGIN_TOKENS: Final = 1_024
"""What a vendor adds to a prompt at most, such as the text that explains tools to the model."""
MARGIN_PART: Final = 50
"""Of a large window a fiftieth is left free, because a vendor's count is not ours."""
USUAL_PART: Final = 2.0 / 3.6
"""Unknown text is counted at 2 bytes a token to be sure; most text has 3.6. A run does not end for that caution."""


def window_tokens(agent: AgentDefinition, agreed: Mapping[str, Price]) -> int | None:
    """Return the longest prompt of an agent, in tokens.

    Args:
        agent: Whose; each of its models must be able to read them.
        agreed: Prices that were agreed otherwise than by list; they tell the window of models that are not listed.

    Returns:
        Tokens; None where no window is known.
    """
    cards = [card_of(name, agreed) for name in (agent.model, *agent.fallbacks)]
    rooms = [_window_of(card, agent.limits.max_output_tokens) for card in cards if card is not None]
    rooms.append(agent.context.max_tokens if agent.context else None)
    return min((window for window in rooms if window is not None), default=None)


def _window_of(card: ModelCard, max_output_tokens: int) -> int | None:
    """Return what a window leaves after the longest answer and a margin."""
    answer = min(max_output_tokens, card.max_output_tokens or max_output_tokens)
    bounds = [card.context_tokens - answer] if card.context_tokens else []
    bounds += [card.max_input_tokens] if card.max_input_tokens else []
    if not bounds:
        return None
    return min(bounds) - max(MARGIN_TOKENS, min(bounds) // MARGIN_PART)


def shown(state: RunState) -> tuple[Exchange, ...]:
    """Return the turns that a model is shown, as it is shown them; a rehearsal is shown all."""
    if state.start.rehearsed:
        return tuple(state.history)
    said = state.condensation or Condensation()
    numbered = enumerate(state.history, start=1)
    return tuple(
        _as_shown(exchange, said, turn=turn, is_measured=turn > state.measured_from)
        for turn, exchange in numbered
        if not said.leaves_out(turn)
    )


def _as_shown(exchange: Exchange, said: Condensation, *, turn: int, is_measured: bool) -> Exchange:
    if turn <= said.shortened_through and turn not in said.kept:
        results = tuple(_cut(result, said.kept_in) for result in exchange.results)
        exchange = exchange.model_copy(update={"results": results})
    if is_measured:
        return exchange
    # What this turn's prompt took says nothing of the next one: it was another agent's, or longer.
    reply = exchange.reply.model_copy(update={"usage": Usage(), "cache_hit": None})
    return exchange.model_copy(update={"reply": reply})


def _cut(result: ToolResult, kept_in: str | None) -> ToolResult:
    reference = f"{kept_in}/{result.call}" if kept_in else None
    return result.model_copy(update={"content": shortened(result.content, reference)})


@dataclass(frozen=True)
class ContextFitter:
    """Shortens a conversation until it fits the context window.

    Args:
        run: Whose it is.
        state: The run.
        agent: Who carries it on.
        window: How many tokens the prompt may have.
        measure: Counts a state's prompt, rather too high than too low.
    """

    run: str
    state: RunState
    agent: AgentDefinition
    window: int
    measure: Callable[[RunState], int]

    def shorter(self) -> Condensation | None:
        """Find what to show so that half of the window is free; None if nothing makes it shorter.

        Results of old turns are cut before a turn is left out, and turns are left out from the oldest on,
        with their results. The newest turn stays, and so does the user's newest message; the newest results
        are cut only as a last resort.
        """
        turns, before = len(self.state.history), self.state.condensation or Condensation()
        cuts = [cut for cut in range(before.through, turns) if cut == before.through or self._may_cut(cut)]
        if not cuts:
            return None
        scale = self._scale()
        found = bisect_left(cuts, True, key=lambda cut: self._is_small(self._with(cut, turns - 1), scale))
        if found < len(cuts):
            return self._with(cuts[found], turns - 1)
        least = self._with(cuts[-1], turns - 1)
        if self._tokens(least) * scale > self.window:
            least = self._with(cuts[-1], turns)
        return least if self._tokens(least) < self._tokens(self.state.condensation) else None

    def _may_cut(self, cut: int) -> bool:
        """Whether a turn may be separated from the next: not if the model was interrupted in it."""
        return self.state.history[cut - 1].reply.stop != "pause"

    def _is_small(self, said: Condensation, scale: float) -> bool:
        tokens = self._tokens(said)
        return tokens <= self.window and tokens * scale <= self.window / 2

    def _scale(self) -> float:
        """Return the ratio of the conversation's real size to its conservative count.

        The newest reply's usage tells the real size.
        """
        return min(1.0, self.measure(self.state) / max(1, self._tokens(self.state.condensation)))

    def _tokens(self, said: Condensation | None) -> int:
        """Count conservatively, without the usage of earlier replies."""
        return self.measure(replace(self.state, condensation=said, measured_from=len(self.state.history)))

    def _with(self, cut: int, shortened_through: int) -> Condensation:
        before = self.state.condensation or Condensation()
        can_read = any(use.tool == ReadResult.name for use in self.agent.tools)
        said = Condensation(
            through=cut,
            kept=self._last_words(),
            shortened_through=max(before.shortened_through, shortened_through),
            kept_in=self.run if can_read else None,
            summary=before.summary,
            summarised_through=before.summarised_through,
        )
        return said.model_copy(update={"text": text_for(left_out_of(self.state.history, said), said)})

    def _last_words(self) -> tuple[int, ...]:
        """Return the newest turns with a message from the user, or on the user's behalf."""
        people = {use.called for use in self.agent.tools if use.tool == AskPerson.name}
        numbered = list(enumerate(self.state.history, start=1))
        told = [turn for turn, one in numbered if one.note]
        answered = [turn for turn, one in numbered if any(result.tool in people for result in one.results)]
        return tuple(sorted({*told[-1:], *answered[-1:]}))
