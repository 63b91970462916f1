"""Continue a run in a new execution before the history of the current one is full.

Step Functions ends an execution at its 25,000th event, and does not report how many it has. So the machine
counts: every state adds what its type writes, and three or four for each attempt that `RetryCount` reports,
and passes the sum on. The count is exact for everything that ends as the states say; what ends a Map as a
whole is counted as if each call had been tried as often as it may. It leaves out the four events of an
execution's own beginning and end, and all events of machines before 0.2.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stepward.agents.journal_writer import RunWriter
from stepward.agents.machine_messages import AdvanceRequest
from stepward.agents.run_ports import RunPorts
from stepward.domain.runs import execution_name

MOST_EVENTS: Final = 20_000
"""The turn that passes it is finished first: twelve guarded calls, one by one, each with all retries, take 4,900."""


@dataclass(frozen=True)
class ContinueAsNew:
    """Continues a run in a new execution, for one invocation."""

    writer: RunWriter
    ports: RunPorts
    request: AdvanceRequest
    most_events: int

    @property
    def is_full(self) -> bool:
        """Whether the next turn belongs to a new execution."""
        return (self.request.spent or 0) >= self.most_events

    @property
    def is_late(self) -> bool:
        """Whether the run continues in a newer execution than the caller's."""
        return self.request.epoch < self.writer.state.epoch

    def begin_next(self) -> None:
        """Hand the run to a new execution; slot, allowance and deadline stay.

        time →   advance: epoch 2 ✓ ─ ✗ dies ─ its machine tries again: it is an old one ─ starts 2 by the same name
                 its machine too is gone        the janitor finds an epoch that has not begun ─ starts 2, the
                 same
        """
        self.writer.begin_epoch()
        self.start()

    def start(self) -> None:
        """Start the newest execution unless it was started; a run that has ended needs none."""
        if self.writer.state.end is None:
            name = execution_name(self.writer.key.run, self.writer.state.epoch)
            self.ports.machine.start(name, self.writer.key)
