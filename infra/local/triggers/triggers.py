"""The triggers of one laptop, bound to the patches of moto while it runs."""

from __future__ import annotations

from infra.local.engine import events, notifications, sqs
from infra.local.engine.lambda_ import callers, functions
from infra.local.engine.states import execution_status
from infra.local.executor import Executor
from infra.local.triggers.asynchronous import Asynchronous
from infra.local.triggers.bucket_events import BucketEvents
from infra.local.triggers.bus import Bus
from infra.local.triggers.clock import Clock
from infra.local.triggers.delivery import ClientFactory, Deliveries
from infra.local.triggers.mappings import Mappings
from infra.local.triggers.status_events import StackEvents, StatusEvents
from infra.local.triggers.timetable import Timetable
from infra.local.triggers.work import Work


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
