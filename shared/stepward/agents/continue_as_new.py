"""Carries a run on in a new execution before the history of the one that carries it is full.

Step Functions ends an execution with its 25,000th event, and tells nobody how many it has. So the machine counts: every
state adds what its type writes, and three or four for each try that `RetryCount` tells of, and hands the sum on. It is
exact for all that ends as the states say; what ends a Map as a whole is counted as if each call had been tried as often
as it may. The four events of an execution's own beginning and end are not in it, nor what a machine before 0.2.0 does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stepward.agents.journal_writer import RunWriter
from stepward.agents.machine_messages import AdvanceRequest
from stepward.agents.run_ports import RunPorts
from stepward.domain.runs import execution_name

MOST_EVENTS: Final = 20_000
"""The turn that passes it is finished first: twelve guarded calls, one by one, each tried as often as it may be, take 4,900."""


@dataclass(frozen=True)
class ContinueAsNew:
    """What one invocation does about the execution that it belongs to."""

    writer: RunWriter
    ports: RunPorts
    request: AdvanceRequest
    most_events: int

    @property
    def is_full(self) -> bool:
        """Whether the next turn is a new execution's."""
        return (self.request.spent or 0) >= self.most_events

    @property
    def is_late(self) -> bool:
        """Whether the run goes on in a newer execution than the one that asks."""
        return self.request.epoch < self.writer.state.epoch

    def begin_next(self) -> None:
        """Hand the run to a new execution; slot, allowance and deadline stay.

        time →   advance: epoch 2 ✓ ─ ✗ dies ─ its machine tries again: it is an old one ─ starts 2 by the same name
                 its machine too is gone        the janitor finds an epoch that nobody has begun ─ starts 2, the same
        """
        self.writer.begin_epoch()
        self.start()

    def start(self) -> None:
        """Start the newest execution, unless it has been; a run that has ended needs none."""
        if self.writer.state.end is None:
            name = execution_name(self.writer.key.run, self.writer.state.epoch)
            self.ports.machine.start(name, self.writer.key)
