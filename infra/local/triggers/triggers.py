"""The triggers of one laptop, bound to the patches of moto while it runs."""

from __future__ import annotations

from moto.awslambda.models import EventSourceMapping
from moto.dynamodb.models.table import Table

from infra.local.engine import events, notifications, sqs
from infra.local.engine.lambda_ import callers, functions
from infra.local.engine.states import execution_status
from infra.local.executor import Executor
from infra.local.triggers.asynchronous import Asynchronous
from infra.local.triggers.bucket_events import BucketEvents
from infra.local.triggers.bus import Bus
from infra.local.triggers.clock import Clock, Work
from infra.local.triggers.delivery import ClientFactory, Deliveries
from infra.local.triggers.poller import Poller
from infra.local.triggers.queue_poller import QueuePoller
from infra.local.triggers.status_events import StackEvents, StatusEvents
from infra.local.triggers.stream_poller import StreamPoller
from infra.local.triggers.timetable import Timetable


class Mappings:
    """The event source mappings of a laptop, each with its poller."""

    def __init__(self, client: ClientFactory, executor: Executor, clock: Clock) -> None:
        """Keep the clients, the functions and the clock."""
        self._client = client
        self._executor = executor
        self._clock = clock
        self._pollers: dict[str, Poller] = {}

    def mapping_added(self, mapping: EventSourceMapping) -> None:
        """Start a poller for a new mapping."""
        poller = self._poller(mapping)
        self._pollers[mapping.uuid] = poller
        poller.start()

    def mapping_changed(self, mapping: EventSourceMapping) -> None:
        """Wake the poller of a mapping that was enabled, disabled or deleted."""
        if mapping is not None and mapping.uuid in self._pollers:
            self._pollers[mapping.uuid].wake()

    def table_written(self, table: Table) -> None:
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

    def _poller(self, mapping: EventSourceMapping) -> Poller:
        if ":dynamodb:" in mapping.event_source_arn:
            return StreamPoller(mapping, self._executor, self._clock, self._client)
        return QueuePoller(mapping, self._executor, self._clock)


class Triggers:
    """The triggers of one laptop."""

    def __init__(self, client: ClientFactory, executor: Executor) -> None:
        """Create the triggers, and bind them to the patches."""
        self.clock = Clock()
        self._work = Work()
        deliveries = Deliveries(client, self.clock, self._work)
        bus = Bus(self.clock, self._work, deliveries)
        events.bind_targets(bus.offer)
        events.bind_schedules(Timetable(self.clock, bus, deliveries))
        execution_status.bind(StatusEvents(bus).changed)
        self.stack_events = StackEvents(bus)
        notifications.bind(BucketEvents(self.clock, deliveries, bus).changed)
        asynchronous = Asynchronous(client, executor, self.clock, self._work, bus)
        functions.bind_events(asynchronous.accept)
        self._mappings = Mappings(client, executor, self.clock)
        callers.bind_mappings(self._mappings)
        sqs.bind(self._mappings.queue_changed, self.clock.now_s)

    def close(self) -> None:
        """Unbind the triggers, and begin nothing more."""
        events.bind_targets(None)
        events.bind_schedules(None)
        execution_status.bind(None)
        functions.bind_events(None)
        notifications.bind(None)
        callers.bind_mappings(None)
        sqs.bind(None)
        self._mappings.close()
        self.clock.close()
        self._work.close()
