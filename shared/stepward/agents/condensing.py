"""Writes the decision to show a model a shorter conversation, and keeps what it then reads by reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from stepward.agents.left_out import listed_results
from stepward.agents.writer import RunWriter
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import Condensation, ToolResult
from stepward.domain.journal import Condensed
from stepward.domain.run_state import RunState
from stepward.tools.base import ToolContext
from stepward.tools.large_results import CUT_FROM_BYTES, is_reference, size_bytes


@dataclass(frozen=True)
class Condensing:
    """What one invocation does about a conversation that is too long; `context` reaches the run's large results."""

    writer: RunWriter
    agent: AgentDefinition
    context: ToolContext

    @property
    def state(self) -> RunState:
        """The run as its journal has it."""
        return self.writer.state

    def condense(self, said: Condensation) -> None:
        """Keep what can be read by reference from now on, then write the decision.

        time →   keep ✓ ─ ✗ dies            the same again: kept twice is kept once
                 keep ✓ ─ condensed ✓       the next prompt names only what is there
        """
        self._keep_aside(said)
        record = self.writer.make(
            Condensed, turn=self.state.turns + 1, condensation=said, agent=self.agent.id
        )
        self.writer.append(record)

    def _keep_aside(self, said: Condensation) -> None:
        store = self.context.results
        if store is None or said.kept_in is None:
            return
        for result in _newly_cut(self.state, said):
            body = json.dumps(result.content, ensure_ascii=False).encode()
            store.keep(self.context.tenant, said.kept_in, result.call, body)


def _newly_cut(state: RunState, said: Condensation) -> Iterator[ToolResult]:
    """Give the results that the model was shown whole, and which it is to read by reference from now on."""
    before = state.condensation or Condensation()
    numbered = list(enumerate(state.history, start=1))
    left_out = [(turn, one) for turn, one in numbered if said.leaves_out(turn)]
    listed = {result.call for result in listed_results(left_out, said)}
    for turn, exchange in numbered:
        was_cut = turn <= before.shortened_through and turn not in before.kept
        was_cut = was_cut and before.kept_in == said.kept_in
        for result in exchange.results:
            is_named = result.call in listed or not said.leaves_out(turn)
            is_cut = turn <= said.shortened_through and turn not in said.kept
            is_whole = not is_reference(result.content) and size_bytes(result.content) > CUT_FROM_BYTES
            if is_cut and is_named and is_whole and not was_cut:
                yield result
