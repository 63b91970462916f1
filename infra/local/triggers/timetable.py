"""Fires rules with a schedule, and the schedules of EventBridge Scheduler."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.events.models import Rule, events_backends
from moto.scheduler.models import scheduler_backends

from infra.local import account
from infra.local.triggers.bus import Bus
from infra.local.triggers.clock import Clock
from infra.local.triggers.delivery import Deliveries
from stepward.domain.schedules import Schedule, moments, parse_schedule, time_zone

_JUST_BEFORE = timedelta(microseconds=1)


class Timetable:
    """Fires rules and schedules at their times.

    Each is set on the clock for its next time only, when it may prove to be replaced, deleted or disabled.
    """

    def __init__(self, clock: Clock, bus: Bus, deliveries: Deliveries) -> None:
        """Keep the clock, the bus for rules and the deliveries for schedules."""
        self._clock = clock
        self._bus = bus
        self._deliveries = deliveries
        self._versions: Counter[str] = Counter()

    def rule_put(self, rule: Rule) -> None:
        """Set the next time of a rule that has a schedule."""
        if rule.scheduled_expression:
            kind, now = parse_schedule(rule.scheduled_expression), self._clock.now()
            self._await_rule(rule, kind, since=now, after=now)

    def schedule_put(self, schedule: Any, since: datetime | None = None) -> None:
        """Set the next time of a schedule; older versions of it no longer fire."""
        self._versions[schedule.arn] += 1
        now = self._clock.now()
        since = _moment(schedule.start_date) or since or now
        dates = _Dates(schedule, parse_schedule(schedule.schedule_expression), since)
        self._await_schedule(dates, max(now, since) - _JUST_BEFORE)

    def _await_rule(self, rule: Rule, kind: Schedule, since: datetime, after: datetime) -> None:
        due = next(moments(kind, UTC, since, after), None)
        if due is not None:
            self._clock.call_at(due.timestamp(), lambda: self._rule_due(rule, kind, since, due))

    def _rule_due(self, rule: Rule, kind: Schedule, since: datetime, due: datetime) -> None:
        rules = events_backends[account.ACCOUNT_ID][account.REGION].event_buses["default"].rules
        if rules.get(rule.name) is not rule:
            return
        if rule.state == "ENABLED":
            event = self._bus.new_event("aws.events", "Scheduled Event", {}, [rule.arn])
            event["time"] = f"{due:%Y-%m-%dT%H:%M:%SZ}"
            self._bus.send_to_targets(rule, event, event)
        self._await_rule(rule, kind, since, due)

    def _await_schedule(self, dates: _Dates, after: datetime) -> None:
        schedule, due = dates.schedule, dates.following(after)
        end, version = _moment(schedule.end_date), self._versions[schedule.arn]
        if due is None or (end is not None and due > end):
            if schedule.action_after_completion == "DELETE":
                _group(schedule).pop(schedule.name, None)
            return
        self._clock.call_at(due.timestamp(), lambda: self._schedule_due(dates, due, version))

    def _schedule_due(self, dates: _Dates, due: datetime, version: int) -> None:
        schedule = dates.schedule
        is_current = _group(schedule).get(schedule.name) is schedule
        if not is_current or self._versions[schedule.arn] != version:
            return
        if schedule.state == "ENABLED":
            body = _filled(schedule, due)
            self._deliveries.send(schedule.target, body, {"SCHEDULE_ARN": schedule.arn})
        self._await_schedule(dates, due)


@dataclass(frozen=True)
class _Dates:
    """The times of a schedule, in its time zone and from its start on."""

    schedule: Any
    kind: Schedule
    since: datetime

    def following(self, after: datetime) -> datetime | None:
        zone = time_zone(self.schedule.schedule_expression_timezone)
        return next(moments(self.kind, zone, self.since, after), None)


def _moment(given: Any) -> datetime | None:
    if given is None:
        return None
    if isinstance(given, str) and not given.replace(".", "").isdigit():
        return datetime.fromisoformat(given).astimezone(UTC)
    return datetime.fromtimestamp(float(given), UTC)


def _group(schedule: Any) -> dict[str, Any]:
    groups = scheduler_backends[account.ACCOUNT_ID][account.REGION].schedule_groups
    group = groups.get(schedule.group_name or "default")
    return {} if group is None else group.schedules


def _filled(schedule: Any, due: datetime) -> str:
    """Return the target's input with its context filled in, or Scheduler's default event."""
    time = f"{due:%Y-%m-%dT%H:%M:%SZ}"
    text = schedule.target.get("Input")
    if text is None:
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": account.ACCOUNT_ID,
                "time": time,
                "region": account.REGION,
                "resources": [schedule.arn],
                "detail": "{}",
            }
        )
    for name, value in {
        "schedule-arn": schedule.arn,
        "scheduled-time": time,
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text)
