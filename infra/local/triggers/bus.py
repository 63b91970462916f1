"""EventBridge: matches events with rules, and sends each target its input.

The input is the event, a part of it, a constant or a filled template. moto fills a template as text only, so that a
quotation mark in a value breaks it.
Source: "Amazon EventBridge input transformation" of the EventBridge guide.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.events.models import Rule, events_backends

from infra.local import account
from infra.local.engine import events
from infra.local.triggers.clock import Clock, Work
from infra.local.triggers.delivery import Deliveries
from stepward.domain.patterns import fits

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_TOKEN = re.compile(r'\\.|"|<([A-Za-z0-9._-]+)>', re.DOTALL)
_NOTHING = object()


def target_input(target: Mapping[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """Return the input of a target, as text."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = at_path(event, target["InputPath"])
        return _json("" if found is _NOTHING else found)
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule_arn)
    return _json(event)


def at_path(document: Any, path: str) -> Any:
    """Return what a path of names and indexes finds, which is all that EventBridge offers."""
    if path == "$":
        return document
    for match in _STEP.finditer(path.removeprefix("$")):
        name, index, quoted = match.groups()
        try:
            document = document[int(index)] if index else document[name or quoted]
        except (KeyError, IndexError, TypeError):
            return _NOTHING
    return document


def _transformed(transformer: Mapping[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    values = {name: at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    return _filled(transformer["InputTemplate"], values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template: with JSON outside of quotation marks, with bare text within."""
    is_quoted = False

    def put(match: re.Match[str]) -> str:
        nonlocal is_quoted
        name = match[1]
        if name is None:
            is_quoted ^= match[0] == '"'
            return match[0]
        if name not in values:
            return match[0]
        return _quoted(values[name]) if is_quoted else _json(_or_null(values[name]))

    return _TOKEN.sub(put, template)


def _quoted(value: Any) -> str:
    if value is _NOTHING or value is None:
        return ""
    text = value if isinstance(value, str) else _json(value)
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _or_null(value: Any) -> Any:
    return None if value is _NOTHING else value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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

    def offer(self, rule: Rule, event: Mapping[str, Any]) -> None:
        """Send an event to a rule's targets if the rule is enabled and its pattern matches."""
        pattern = rule.event_pattern.get_pattern()
        if rule.state != "ENABLED" or (not pattern and rule.scheduled_expression):
            return
        envelope = {name: value for name, value in event.items() if name != "ingestion-time"}
        envelope["time"] = _time_text(event["time"])
        if fits(pattern, envelope):
            self.send_to_targets(rule, envelope, event)

    def send_to_targets(
        self, rule: Rule, envelope: dict[str, Any], original: Mapping[str, Any] | None = None
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
