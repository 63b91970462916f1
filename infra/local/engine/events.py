"""Patches of EventBridge and its Scheduler: patterns, targets and schedules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventPatternParser, EventsBackend, Rule
from moto.events.responses import EventsHandler
from moto.scheduler.exceptions import ValidationException as InvalidSchedule
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule

from stepward.domain.patterns import PatternRefused, check_pattern, fits
from stepward.domain.schedules import parse_schedule, time_zone


def install_event_patterns() -> None:
    """Validate the pattern of a rule, and add TestEventPattern.

    moto keeps event patterns that EventBridge refuses, and has no TestEventPattern.

    Where: `EventPatternParser` in moto/events/models.py, which looks for empty lists only; `EventsHandler` in
    moto/events/responses.py.
    """
    EventPatternParser.parse = _parse
    EventsHandler.test_event_pattern = _test_event_pattern


def _parse(parser: EventPatternParser) -> dict[str, Any]:
    try:
        pattern = json.loads(parser.pattern) if parser.pattern else {}
    except ValueError:
        raise InvalidEventPatternException(reason="Invalid JSON") from None
    if not isinstance(pattern, dict):
        raise InvalidEventPatternException(reason="Filter is not an object")
    try:
        check_pattern(pattern)
    except PatternRefused as refused:
        raise InvalidEventPatternException(reason=refused.reason) from None
    return pattern


def _test_event_pattern(handler: EventsHandler) -> Any:
    pattern = EventPatternParser(handler._get_param("EventPattern")).parse()  # noqa: SLF001  moto's own
    try:
        event = json.loads(handler._get_param("Event"))  # noqa: SLF001
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ValidationException("Parameter Event is not valid.")
    return handler._create_response({"Result": fits(pattern, event)})  # noqa: SLF001


ORIGINAL_EVENT_TARGETS = Rule.send_to_targets
Receiver = Callable[[Rule, Mapping[str, Any]], None]
_receivers: list[Receiver] = []


def bind_targets(receiver: Receiver | None) -> None:
    """Pass later events of rules to a receiver; None leaves them to moto."""
    _receivers[:] = [] if receiver is None else [receiver]


def install_event_targets() -> None:
    """Pass the events of a rule to the receiver instead of its targets.

    moto's EventBridge fails on rules with functions or state machines: PutEvents answers 500.

    Where: `Rule.send_to_targets` in moto/events/models.py knows no such target. It also fires disabled rules, gives
    every event to rules of the clock, and sends in the caller's time, once.
    """
    Rule.send_to_targets = _send


def _send(rule: Rule, original_event: Any, transform_input: bool = True) -> None:
    if not _receivers:
        ORIGINAL_EVENT_TARGETS(rule, original_event, transform_input)
    else:
        _receivers[0](rule, original_event)


ORIGINAL_RULE_SCHEDULES = EventsBackend.put_rule
ORIGINAL_CREATE = EventBridgeSchedulerBackend.create_schedule
ORIGINAL_UPDATE = EventBridgeSchedulerBackend.update_schedule


class Timetable(Protocol):
    """The part of the triggers that fires rules and schedules."""

    def rule_put(self, rule: Rule) -> None:
        """Start to fire a new rule, or one that replaced another of its name."""

    def schedule_put(self, schedule: Schedule, since: datetime | None = None) -> None:
        """Start to fire a new or changed schedule, or one that was restored from `since`."""


_timetables: list[Timetable] = []


def bind_schedules(timetable: Timetable | None) -> None:
    """Notify a timetable of later rules and schedules; None removes it."""
    _timetables[:] = [] if timetable is None else [timetable]


def restored(schedule: Schedule, since: datetime) -> None:
    """Resume a restored schedule that was created or last changed at a given time."""
    for timetable in _timetables:
        timetable.schedule_put(schedule, since)


def install_rule_schedules() -> None:
    """Notify the timetable when a rule or a schedule is created or changed.

    moto keeps rules with a schedule, and the schedules of EventBridge Scheduler, but none of them ever fires.

    Where: `EventsBackend.put_rule` in moto/events/models.py; `EventBridgeSchedulerBackend` in moto/scheduler/models.py,
    whose `update_schedule` changes a schedule in place. Expressions and zones that AWS refuses are kept.
    """
    EventsBackend.put_rule = _put_rule
    EventBridgeSchedulerBackend.create_schedule = _schedule_action(ORIGINAL_CREATE)
    EventBridgeSchedulerBackend.update_schedule = _schedule_action(ORIGINAL_UPDATE)


def _put_rule(backend: EventsBackend, name: str, *arguments: Any, **named: Any) -> Rule:
    expression = named.get("scheduled_expression")
    if expression and not _is_readable(expression, "rate(", "cron("):
        raise ValidationException("Parameter ScheduleExpression is not valid.")
    rule = ORIGINAL_RULE_SCHEDULES(backend, name, *arguments, **named)
    for timetable in _timetables:
        timetable.rule_put(rule)
    return rule


def _schedule_action(original: Callable[..., Schedule]) -> Callable[..., Schedule]:
    def action(backend: EventBridgeSchedulerBackend, **named: Any) -> Schedule:
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
