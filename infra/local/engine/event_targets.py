"""moto's EventBridge fails on rules with functions or state machines: PutEvents answers 500.

Where: `Rule.send_to_targets` in moto/events/models.py knows no such target. It also fires disabled rules, gives
every event to rules of the clock, and sends in the caller's time, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.events.models import Rule

ORIGINAL = Rule.send_to_targets

Receiver = Callable[[Any, Mapping[str, Any]], None]

_receivers: list[Receiver] = []


def bind(receiver: Receiver | None) -> None:
    """Give events of rules to this receiver from now on."""
    _receivers[:] = [] if receiver is None else [receiver]


def install() -> None:
    """Stand between a rule and its targets."""
    Rule.send_to_targets = _send


def _send(rule: Any, original_event: Any, transform_input: bool = True) -> None:
    if not _receivers:
        ORIGINAL(rule, original_event, transform_input)
    else:
        _receivers[0](rule, original_event)
