"""The event source mappings of a laptop, each with its poller."""

from __future__ import annotations

from typing import Any

from infra.local.executor import Executor
from infra.local.triggers.clock import Clock
from infra.local.triggers.delivery import ClientFactory
from infra.local.triggers.poller import Poller
from infra.local.triggers.queue_poller import QueuePoller
from infra.local.triggers.stream_poller import StreamPoller


class Mappings:
    """The event source mappings of a laptop, each with its poller."""

    def __init__(self, client: ClientFactory, executor: Executor, clock: Clock) -> None:
        """Keep the clients, the functions and the clock."""
        self._client = client
        self._executor = executor
        self._clock = clock
        self._pollers: dict[str, Poller] = {}

    def mapping_added(self, mapping: Any) -> None:
        """Start a poller for a new mapping."""
        poller = self._poller(mapping)
        self._pollers[mapping.uuid] = poller
        poller.start()

    def mapping_changed(self, mapping: Any) -> None:
        """Wake the poller of a mapping that was enabled, disabled or deleted."""
        if mapping is not None and mapping.uuid in self._pollers:
            self._pollers[mapping.uuid].wake()

    def table_written(self, table: Any) -> None:
        """Wake the pollers of a table's stream."""
        for poller in list(self._pollers.values()):
            if isinstance(poller, StreamPoller) and poller.table_name == table.name:
                poller.wake()

    def queue_changed(self, arn: str) -> None:
        """Wake the pollers of a queue."""
        for poller in list(self._pollers.values()):
            if poller.mapping.event_source_arn == arn:
                poller.wake()

    def close(self) -> None:
        """End every poller."""
        for poller in self._pollers.values():
            poller.close()

    def _poller(self, mapping: Any) -> Poller:
        if ":dynamodb:" in mapping.event_source_arn:
            return StreamPoller(mapping, self._executor, self._clock, self._client)
        return QueuePoller(mapping, self._executor, self._clock)
