"""moto keeps rules with a schedule, and the schedules of EventBridge Scheduler, but none of them ever fires.

Where: `EventsBackend.put_rule` in moto/events/models.py; `EventBridgeSchedulerBackend` in moto/scheduler/models.py,
whose `update_schedule` changes a schedule in place. Expressions and zones that AWS refuses are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend
from moto.scheduler.exceptions import ValidationException as InvalidSchedule
from moto.scheduler.models import EventBridgeSchedulerBackend

from stepward.domain.schedules import parse_schedule, time_zone

ORIGINAL = EventsBackend.put_rule
ORIGINAL_CREATE = EventBridgeSchedulerBackend.create_schedule
ORIGINAL_UPDATE = EventBridgeSchedulerBackend.update_schedule


class Timetable(Protocol):
    """Who makes rules and schedules fire."""

    def rule_put(self, rule: Any) -> None:
        """A rule is new, or has replaced one of its name."""

    def schedule_put(self, schedule: Any, since: datetime | None = None) -> None:
        """A schedule is new, or has been changed; or it has come back, and is as old as `since`."""


_timetables: list[Timetable] = []


def bind(timetable: Timetable | None) -> None:
    """Tell this timetable of every rule and schedule from now on."""
    _timetables[:] = [] if timetable is None else [timetable]


def restored(schedule: Any, since: datetime) -> None:
    """Let a schedule go on that was made, or last changed, at a moment."""
    for timetable in _timetables:
        timetable.schedule_put(schedule, since)


def install() -> None:
    """Stand around the three actions."""
    EventsBackend.put_rule = _put_rule
    EventBridgeSchedulerBackend.create_schedule = _schedule_action(ORIGINAL_CREATE)
    EventBridgeSchedulerBackend.update_schedule = _schedule_action(ORIGINAL_UPDATE)


def _put_rule(backend: Any, name: str, *arguments: Any, **named: Any) -> Any:
    expression = named.get("scheduled_expression")
    if expression and not _is_readable(expression, "rate(", "cron("):
        raise ValidationException("Parameter ScheduleExpression is not valid.")
    rule = ORIGINAL(backend, name, *arguments, **named)
    for timetable in _timetables:
        timetable.rule_put(rule)
    return rule


def _schedule_action(original: Callable[..., Any]) -> Callable[..., Any]:
    def action(backend: Any, **named: Any) -> Any:
        expression = named["schedule_expression"]
        if not _is_readable(expression, "rate(", "cron(", "at("):
            raise InvalidSchedule(f"Invalid Schedule Expression {expression}.")
        zone = named.get("schedule_expression_timezone")
        if zone and not _is_zone(zone):
            raise InvalidSchedule(f"Invalid Schedule Expression Timezone {zone}.")
        schedule = original(backend, **named)
        schedule.state = schedule.state or "ENABLED"
        for timetable in _timetables:
            timetable.schedule_put(schedule)
        return schedule

    return action


def _is_readable(expression: str, *kinds: str) -> bool:
    try:
        parse_schedule(expression)
    except ValueError:
        return False
    return expression.startswith(kinds)


def _is_zone(name: str) -> bool:
    try:
        time_zone(name)
    except ValueError:
        return False
    return True
