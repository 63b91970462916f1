"""moto keeps event patterns that EventBridge refuses, and has no TestEventPattern.

Where: `EventPatternParser` in moto/events/models.py, which looks for empty lists only; `EventsHandler` in
moto/events/responses.py.
"""

from __future__ import annotations

import json
from typing import Any

from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventPatternParser
from moto.events.responses import EventsHandler

from stepward.domain.patterns import PatternRefused, check_pattern, fits


def install() -> None:
    """Check every pattern that is put, and answer the action that tries one."""
    EventPatternParser.parse = _parse
    EventsHandler.test_event_pattern = _test_event_pattern


def _parse(parser: Any) -> dict[str, Any]:
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


def _test_event_pattern(handler: Any) -> Any:
    pattern = EventPatternParser(handler._get_param("EventPattern")).parse()  # noqa: SLF001  moto's own
    try:
        event = json.loads(handler._get_param("Event"))  # noqa: SLF001
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ValidationException("Parameter Event is not valid.")
    return handler._create_response({"Result": fits(pattern, event)})  # noqa: SLF001
