"""Lists tools and shows one."""

from __future__ import annotations

from typing import Any

from stepward.agents.agent_tools import list_tools, show_tool
from stepward.runtime import tool_wiring
from stepward.runtime.http import answer, caller, routes

router = routes()


@router.get("/tools")
def tools() -> Any:
    """List every tool by name."""
    caller(router.current_event)
    return answer(200, {"tools": list_tools(tool_wiring.published_tools_store())})


@router.get("/tools/<tool>")
def one_tool(tool: str) -> Any:
    """Show one tool with the schemas of its settings and of its arguments."""
    caller(router.current_event)
    return answer(200, show_tool(tool_wiring.published_tools_store(), tool))
