"""Keeps the schedules of triggers in EventBridge Scheduler."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.domain.errors import Bug, Conflict, InvalidRequest, StoreConflict
from stepward.domain.triggers import KeptTrigger

OLDEST_S: Final = 3_600
RETRIES: Final = 10


@dataclass(frozen=True)
class SchedulerSchedules:
    """Keeps schedules in the stage's group.

    `target_arn` is the function that a schedule invokes, `role_arn` the role that may do so, and `failures_arn` the queue
    for invocations that failed.
    """

    group: str
    role_arn: str
    target_arn: str
    failures_arn: str

    def put(self, kept: KeptTrigger) -> None:
        """Update the schedule, or create it where there is none.

        time →   A: update ✗ (none) ─ create ✓
                 B: update ✗ (none) ────────── create ✗ (ConflictException) → StoreConflict: the repeat updates
        """
        request = self._request(kept)
        with translated(f"scheduling {kept.trigger.id}"):
            try:
                client("scheduler").update_schedule(**request)
            except ClientError as error:
                if error_code(error) == "ValidationException":
                    raise _refused(kept, error) from error
                if error_code(error) != "ResourceNotFoundException":
                    raise
                self._create(kept, request)

    def _create(self, kept: KeptTrigger, request: dict[str, Any]) -> None:
        try:
            client("scheduler").create_schedule(**request)
        except ClientError as error:
            match error_code(error):
                case "ValidationException":
                    raise _refused(kept, error) from error
                case "ConflictException":
                    raise StoreConflict(
                        f"{kept.trigger.id} was scheduled by another request meanwhile"
                    ) from error
                case "ServiceQuotaExceededException":
                    raise _too_many_schedules() from error
            raise

    def remove(self, kept: KeptTrigger) -> None:
        """Delete the schedule if it is there."""
        with translated(f"removing the schedule of {kept.trigger.id}"):
            try:
                client("scheduler").delete_schedule(GroupName=self.group, Name=_name(kept))
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise

    def _request(self, kept: KeptTrigger) -> dict[str, Any]:
        schedule = kept.trigger.schedule
        if schedule is None:
            raise Bug(f"trigger {kept.trigger.id} has no schedule")
        said = {"v": 1, "tenant": kept.tenant, "trigger": kept.trigger.id}
        return {
            "Name": _name(kept),
            "GroupName": self.group,
            "Description": f"trigger {kept.trigger.id} of {kept.tenant}",
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.timezone,
            "State": "ENABLED" if kept.trigger.enabled else "DISABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": self.target_arn,
                "RoleArn": self.role_arn,
                "Input": json.dumps({**said, "scheduled_at": "<aws.scheduler.scheduled-time>"}),
                "RetryPolicy": {"MaximumEventAgeInSeconds": OLDEST_S, "MaximumRetryAttempts": RETRIES},
                "DeadLetterConfig": {"Arn": self.failures_arn},
            },
        }


def _name(kept: KeptTrigger) -> str:
    """Return a schedule's name in the 64 characters that Scheduler allows.

    The ids of tenant and trigger may have more together.
    """
    return hashlib.sha256(f"{kept.tenant}/{kept.trigger.id}".encode()).hexdigest()[:40]


def _too_many_schedules() -> Conflict:
    return Conflict(
        "the account's quota of schedules is used up.",
        field="schedule",
        fix="delete triggers, or ask AWS for a higher quota of schedules",
    )


def _refused(kept: KeptTrigger, error: ClientError) -> InvalidRequest:
    said = error.response["Error"].get("Message", "")
    return InvalidRequest(
        f"EventBridge Scheduler refuses the schedule of {kept.trigger.id!r}: {said}",
        field="schedule.expression",
        fix="write it as the EventBridge Scheduler guide says",
    )
