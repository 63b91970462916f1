"""Schedules of EventBridge Scheduler that were made at run time, as those of triggers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from typing import Any

from moto.scheduler.models import Schedule, scheduler_backends

from infra.local import account
from infra.local.engine import events
from infra.local.state.folder import Unit
from infra.local.state.scans import Seen, dump

_KEPT = (
    "description",
    "schedule_expression",
    "schedule_expression_timezone",
    "flexible_time_window",
    "target",
    "state",
    "kms_key_arn",
    "start_date",
    "end_date",
    "action_after_completion",
)


class Schedules:
    """The source of every schedule that no template has made."""

    kind = "schedule"

    def __init__(self) -> None:
        """Begin without a template."""
        self._of_template: frozenset[str] = frozenset()

    def deployed(self) -> None:
        """Take the schedules that are there now as the template's, which come back with it."""
        self._of_template = frozenset(schedule.arn for schedule in _all())

    def scan(self) -> Iterator[Seen]:
        """Look at every schedule."""
        for schedule in _all():
            if schedule.arn not in self._of_template:
                unit = Unit(self.kind, schedule.group_name, schedule.name)
                yield Seen(unit, schedule.last_modified_date, _Writer(schedule))

    def restore(self, unit: Unit, content: Any) -> Hashable | None:
        """Restore a schedule, counting from when it was made; what it missed is not made up for."""
        group = _backend().schedule_groups.get(unit.home)
        if group is None:
            return None
        if unit.key in group.schedules:
            return True
        # Its start may have passed long ago, for which moto would refuse it as new.
        settings = content["settings"]
        schedule = Schedule(
            region=account.REGION,
            account_id=account.ACCOUNT_ID,
            group_name=unit.home,
            name=unit.key,
            **{**settings, "start_date": None},
        )
        schedule.start_date = settings["start_date"]
        schedule.creation_date, schedule.last_modified_date = content["created"], content["changed"]
        group.add_schedule(schedule)
        events.restored(schedule, datetime.fromtimestamp(content["changed"], UTC))
        return float(content["changed"])


class _Writer:
    """Write a schedule down when it is asked for."""

    def __init__(self, schedule: Any) -> None:
        self._schedule = schedule

    def __call__(self) -> bytes:
        schedule = self._schedule
        settings = {name: getattr(schedule, name) for name in _KEPT}
        times = {"created": schedule.creation_date, "changed": schedule.last_modified_date}
        return dump({"v": 1, "settings": settings, **times})


def _all() -> list[Any]:
    groups = list(_backend().schedule_groups.values())
    return [schedule for group in groups for schedule in list(group.schedules.values())]


def _backend() -> Any:
    return scheduler_backends[account.ACCOUNT_ID][account.REGION]
