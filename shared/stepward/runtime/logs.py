"""Write structured logs: one JSON object a line, the same shape in every function, never an input or a key."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from stepward.domain.callback_addresses import hidden

TRACE: Final = 5
_LEVELS: Final = {TRACE: "trace", 10: "debug", 20: "info", 30: "warn", 40: "error", 50: "fatal"}
_CONTEXT: Final = {"run": "executionId", "agent": "agentId", "principal": "userId", "tenant": "tenantId"}
_METADATA: Final = {"duration_ms": "durationMs", "success": "success", "code": "code", "outcome": "outcome"}
logging.addLevelName(TRACE, "TRACE")


class StructuredFormatter(LambdaPowertoolsFormatter):
    """Writes timestamp, level, message, context, metadata and traceId, without unknown ones."""

    def serialize(self, log: Any) -> str:
        """Arrange what Powertools collected."""
        number = logging.getLevelName(str(log.get("level", "INFO")))
        entry = {
            "timestamp": log.get("timestamp"),
            "level": _LEVELS.get(number, "info"),
            "message": log.get("message"),
            "service": log.get("service"),
            "context": _pick(log, _CONTEXT),
            "metadata": _pick(log, _METADATA),
            "requestId": log.get("function_request_id"),
            "traceId": log.get("xray_trace_id"),
            "error": log.get("exception"),
        }
        shown = {name: value for name, value in entry.items() if value not in (None, {})}
        return hidden(json.dumps(shown, default=str))


def _pick(log: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {shown: log[name] for name, shown in names.items() if log.get(name) is not None}


logger: Final = Logger(logger_formatter=StructuredFormatter(utc=True, use_rfc3339=True))
