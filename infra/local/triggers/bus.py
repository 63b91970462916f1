"""EventBridge: events meet the rules of their bus, and every target of a rule that matches gets its delivery."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from infra.local import account
from infra.local.engine import events
from infra.local.triggers.clock import Clock
from infra.local.triggers.delivery import Deliveries
from infra.local.triggers.inputs import target_input
from infra.local.triggers.work import Work
from stepward.domain.patterns import fits

_DELIVERED_HERE = ("lambda", "sqs", "states")


class Bus:
    """Take every event that moto gives to a rule, and the events of AWS's own services."""

    def __init__(self, clock: Clock, work: Work, deliveries: Deliveries) -> None:
        """Take the time, the threads and the way to the targets."""
        self._clock = clock
        self._work = work
        self._deliveries = deliveries

    def publish(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str]
    ) -> None:
        """Put an event of a service on the default bus."""
        rules = events_backends[account.ACCOUNT_ID][account.REGION].event_buses["default"].rules
        event = self.new_event(source, detail_type, detail, resources)
        for rule in list(rules.values()):
            self.offer(rule, event)

    def new_event(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str]
    ) -> dict[str, Any]:
        """Put a detail in its envelope."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": account.ACCOUNT_ID,
            "time": _time_text(self._clock.now_s()),
            "region": account.REGION,
            "resources": list(resources),
            "detail": detail,
        }

    def offer(self, rule: Any, event: Mapping[str, Any]) -> None:
        """Give a rule an event; a disabled rule and a rule of the clock take none."""
        pattern = rule.event_pattern.get_pattern()
        if rule.state != "ENABLED" or (not pattern and rule.scheduled_expression):
            return
        envelope = {name: value for name, value in event.items() if name != "ingestion-time"}
        envelope["time"] = _time_text(event["time"])
        if fits(pattern, envelope):
            self.send_to_targets(rule, envelope, event)

    def send_to_targets(
        self, rule: Any, envelope: dict[str, Any], original: Mapping[str, Any] | None = None
    ) -> None:
        """Deliver to every target; those that moto serves itself (logs, archives, other buses) are left to it."""
        others = []
        for target in list(rule.targets):
            if target["Arn"].split(":")[2] in _DELIVERED_HERE:
                body = target_input(target, envelope, rule.arn)
                self._deliveries.send(target, body, {"RULE_ARN": rule.arn})
            else:
                others.append(target)
        if others and original is not None:
            remainder = copy.copy(rule)
            remainder.targets = others
            self._work.submit(events.ORIGINAL_EVENT_TARGETS, remainder, _as_moto_has_it(original))


def _as_moto_has_it(event: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(dict(event)))
    if isinstance(content["time"], str):
        content["time"] = datetime.fromisoformat(content["time"]).timestamp()
    return {"ingestion-time": content["time"], **content}


def _time_text(time: Any) -> str:
    if isinstance(time, str) and not time.replace(".", "").isdigit():
        return time
    return datetime.fromtimestamp(float(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
