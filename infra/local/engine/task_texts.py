"""moto writes objects that a service takes as text with spaces and without letters beyond ASCII.

Where: `to_json_str` of the services in moto/stepfunctions/parser/asl/component/state/exec/state_task/service. AWS sends compact
JSON in UTF-8, so a message's body, its digest and the cause of a failed child execution are other texts.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

from moto.stepfunctions.parser.asl.utils.encoding import _DateTimeEncoder

_SERVICES = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service"
_MODULES = tuple(
    importlib.import_module(f"{_SERVICES}{name}") for name in ("", "_events", "_sfn", "_sns", "_sqs")
)


def install() -> None:
    """Write as AWS does."""
    for module in _MODULES:
        vars(module)["to_json_str"] = compact


def compact(value: Any, separators: tuple[str, str] = (",", ":")) -> str:
    """Write a value as short JSON."""
    return json.dumps(value, cls=_DateTimeEncoder, separators=separators, ensure_ascii=False)
