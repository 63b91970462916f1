"""All triggers of one laptop: bound to moto's hooks while it runs, and quiet when it ends."""

from __future__ import annotations

from infra.local.engine import (
    bucket_notifications,
    event_targets,
    execution_events,
    lambda_invocations,
    queue_receives,
    rule_schedules,
    source_mappings,
)
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
    """What starts functions and state machines besides their callers."""

    def __init__(self, client: ClientFactory, executor: Executor) -> None:
        """Begin to listen."""
        self.clock = Clock()
        self._work = Work()
        deliveries = Deliveries(client, self.clock, self._work)
        bus = Bus(self.clock, self._work, deliveries)
        event_targets.bind(bus.offer)
        rule_schedules.bind(Timetable(self.clock, bus, deliveries))
        execution_events.bind(StatusEvents(bus).changed)
        self.stack_events = StackEvents(bus)
        bucket_notifications.bind(BucketEvents(self.clock, deliveries, bus).changed)
        asynchronous = Asynchronous(client, executor, self.clock, self._work, bus)
        lambda_invocations.bind_events(asynchronous.accept)
        self._mappings = Mappings(client, executor, self.clock)
        source_mappings.bind(self._mappings)
        queue_receives.bind(self._mappings.queue_changed, self.clock.now_s)

    def close(self) -> None:
        """Listen no more, and let nothing begin that has not begun."""
        event_targets.bind(None)
        rule_schedules.bind(None)
        execution_events.bind(None)
        lambda_invocations.bind_events(None)
        bucket_notifications.bind(None)
        source_mappings.bind(None)
        queue_receives.bind(None)
        self._mappings.close()
        self.clock.close()
        self._work.close()
