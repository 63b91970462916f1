"""The catalog's index: a tool's module is imported on first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from stepward.domain.errors import InvalidRequest
from stepward.domain.nearest import choices_with_nearest
from stepward.domain.tools import ToolUse
from stepward.tools.base import BoundTool, Tool

CATALOG: dict[str, str] = {
    "agent": "stepward.tools.agent:SubAgent",
    "ask_person": "stepward.tools.ask_person:AskPerson",
    "calculate": "stepward.tools.calculate:Calculate",
    "hand_off": "stepward.tools.hand_off:HandOff",
    "http_get": "stepward.tools.http_get:HttpGet",
    "http_request": "stepward.tools.http_request:HttpRequest",
    "lambda_function": "stepward.tools.lambda_function:LambdaFunction",
    "policy_lookup": "stepward.tools.policy_lookup:PolicyLookup",
    "read_result": "stepward.tools.read_result:ReadResult",
    "record_lookup": "stepward.tools.record_lookup:RecordLookup",
    "workflow": "stepward.tools.workflow:RunWorkflow",
}

OWN_FUNCTION = "stepward.tools.own_function:OwnFunction"


@cache
def find_tool(name: str) -> Tool[Any, Any]:
    """Load a tool by its catalog name; a name with a dot is a function of a folder of tools."""
    path = OWN_FUNCTION if "." in name else CATALOG.get(name)
    if path is None:
        fix = choices_with_nearest(name, CATALOG, f"known tools: {', '.join(CATALOG)}")
        raise InvalidRequest(f"there is no tool {name!r}.", fix=fix)
    module, _, attribute = path.partition(":")
    found: Tool[Any, Any] = getattr(import_module(module), attribute)()
    return found


def bind(use: ToolUse) -> BoundTool:
    """Bind a tool to an agent's settings, which were validated at registration."""
    tool = find_tool(use.tool)
    return BoundTool(tool, tool.settings.model_validate(use.config), use)
