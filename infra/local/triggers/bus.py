"""EventBridge: matches events with rules, and sends each target its input."""

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
    """Matches the events of moto and of AWS's services with rules."""

    def __init__(self, clock: Clock, work: Work, deliveries: Deliveries) -> None:
        """Keep the clock, the threads and the deliveries."""
        self._clock = clock
        self._work = work
        self._deliveries = deliveries

    def publish(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str]
    ) -> None:
        """Put an event of an AWS service on the default bus."""
        rules = events_backends[account.ACCOUNT_ID][account.REGION].event_buses["default"].rules
        event = self.new_event(source, detail_type, detail, resources)
        for rule in list(rules.values()):
            self.offer(rule, event)

    def new_event(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str]
    ) -> dict[str, Any]:
        """Return the envelope of an event with its detail."""
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
        """Send an event to a rule's targets if the rule is enabled and its pattern matches."""
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
        """Send an event to every target of a rule.

        Those that moto serves itself (logs, archives, other buses) are left to it.
        """
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
            self._work.submit(events.ORIGINAL_EVENT_TARGETS, remainder, _in_motos_form(original))


def _in_motos_form(event: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(dict(event)))
    if isinstance(content["time"], str):
        content["time"] = datetime.fromisoformat(content["time"]).timestamp()
    return {"ingestion-time": content["time"], **content}


def _time_text(time: Any) -> str:
    if isinstance(time, str) and not time.replace(".", "").isdigit():
        return time
    return datetime.fromtimestamp(float(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
